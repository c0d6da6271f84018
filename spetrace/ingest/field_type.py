"""What the C type of a tracepoint's field makes of its bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto


class FieldKind(Enum):
    """How a field's value is read."""

    INTEGER = auto()
    BOOL = auto()
    STRING = auto()
    LIST = auto()
    BYTES = auto()


class Place(Enum):
    """Where a field's bytes are."""

    FIXED = auto()
    """At the field's offset."""
    REST = auto()
    """From the field's offset to the end of the record (declared size 0)."""
    DATA_LOC = auto()
    """Where the descriptor at the offset says, from the start of the record."""
    REL_LOC = auto()
    """Where the descriptor at the offset says, from the end of the descriptor."""


@dataclass(frozen=True)
class FieldType:
    """A field's type: `item_bytes` and `signed` are those of the integer or of a list's items."""

    kind: FieldKind
    place: Place
    item_bytes: int
    signed: bool
    widen: bool = False
    """A C long: 64 bits wide in tables, whatever the kernel's."""


_WORD = re.compile(r"\w+")
_LENGTH = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)
_LONG_WORDS = {"long", "size_t", "ssize_t"}
_NOISE = {"const", "volatile", "static", "__data_loc", "__rel_loc"}
_UNSIGNED = {"unsigned", "bool", "_Bool", "size_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t"}
_UNSIGNED |= {f"{prefix}{bits}" for prefix in ("u", "__u") for bits in (8, 16, 32, 64)}
_ITEM_BYTES = {"bool": 1, "_Bool": 1, "char": 1, "short": 2, "int": 4, "unsigned": 4, "float": 4}
for _bits in (8, 16, 32, 64):
    _names = (
        f"u{_bits}",
        f"s{_bits}",
        f"__u{_bits}",
        f"__s{_bits}",
        f"uint{_bits}_t",
        f"int{_bits}_t",
    )
    _ITEM_BYTES |= dict.fromkeys(_names, _bits // 8)
_ITEM_BYTES |= {"pid_t": 4, "gfp_t": 4}
_INTEGER_BYTES = (1, 2, 4, 8)
_DESCRIPTOR_BYTES = 4


def parse_type(
    text: str, length: str | None, size: int, signed: bool | None, long_size: int
) -> FieldType:
    """The type declared by `text` (the words before the name).

    `length` is what stands in the brackets behind the name (None: no brackets), `size` the field's
    bytes, `signed` its signed flag (None: the format has none; the type decides).
    """
    words = _WORD.findall(text)
    if signed is None:
        signed = not (_UNSIGNED & set(words) or "*" in text)
    place = _place(words, size)
    array = length is not None or place is not Place.FIXED or "[" in text
    if "*" in text and not array:
        return _integer(size, signed=False, widen=True)
    if words and words[-1] == "char" and array and "unsigned" not in words and "*" not in text:
        return FieldType(FieldKind.STRING, place, 1, signed=False)
    if array:
        return _list(text, words, length, size, place, signed, long_size)
    if "struct" in words or "union" in words:
        return FieldType(FieldKind.BYTES, place, 1, signed=False)
    if ("bool" in words or "_Bool" in words) and size == 1:
        return FieldType(FieldKind.BOOL, place, 1, signed=False)
    return _integer(size, signed, bool(_LONG_WORDS & set(words)))


def _place(words: list[str], size: int) -> Place:
    if "__data_loc" in words and size == _DESCRIPTOR_BYTES:
        return Place.DATA_LOC
    if "__rel_loc" in words and size == _DESCRIPTOR_BYTES:
        return Place.REL_LOC
    return Place.REST if size == 0 else Place.FIXED


def _integer(size: int, signed: bool, widen: bool) -> FieldType:
    if size not in _INTEGER_BYTES:
        return FieldType(FieldKind.BYTES, Place.FIXED, 1, signed=False)
    return FieldType(FieldKind.INTEGER, Place.FIXED, size, signed, widen)


def _list(
    text: str,
    words: list[str],
    length: str | None,
    size: int,
    place: Place,
    signed: bool,
    long_size: int,
) -> FieldType:
    item = _item_bytes(text, words, long_size)
    if place is Place.FIXED and length and _LENGTH.fullmatch(length):
        item = size // int(length) if size % int(length) == 0 else None
    if item not in _INTEGER_BYTES or "struct" in words or "union" in words:
        return FieldType(FieldKind.BYTES, place, 1, signed=False)
    if place is Place.FIXED and size % item:
        return FieldType(FieldKind.BYTES, place, 1, signed=False)
    signed = signed and "cpumask_t" not in words and "*" not in text
    widen = bool(_LONG_WORDS & set(words)) or "cpumask_t" in words
    return FieldType(FieldKind.LIST, place, item, signed, widen)


def _item_bytes(text: str, words: list[str], long_size: int) -> int | None:
    """Bytes of one element of an array of this type; None where the name does not tell."""
    words = [word for word in words if word not in _NOISE]
    if "*" in text or "cpumask_t" in words:
        return long_size
    if "long" in words:
        return 8 if words.count("long") > 1 else long_size
    if _LONG_WORDS & set(words):
        return long_size
    known = [_ITEM_BYTES[word] for word in words if word in _ITEM_BYTES and word != "unsigned"]
    if known:
        return known[0]
    return 4 if "unsigned" in words else None
