"""Tracefs `format` files: the text that says where each field of a tracepoint's record stands.

Source: Linux 6.12 kernel/trace/trace_events.c (writer). The same text is in tracefs, trace.dat and
perf's TRACING_DATA.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from spetrace.errors import InputError
from spetrace.ingest.field_type import FieldType, parse_type

_MAX_TEXT = 16 << 20
_MAX_FIELDS = 256
_MAX_OVERLAP = 4
"""How many times over a record's bytes may be declared: unions and descriptors need 2 or so."""
_NAME = re.compile(r"^name:[ \t]*(\S+)", re.MULTILINE)
_ID = re.compile(r"^ID:[ \t]*(\d{1,9})[ \t]*$", re.MULTILINE)
_FIELD = re.compile(
    r"^[ \t]*field(?:[ \t]+special)?:[ \t]*([^;\n]{1,512});"
    r"[ \t]*offset:[ \t]*(\d{1,9});"
    r"[ \t]*size:[ \t]*(\d{1,9});"
    r"(?:[ \t]*signed:[ \t]*([01]);)?",
    re.MULTILINE,
)
_FUNCTION_POINTER = re.compile(r"\(\s*\*\s*(\w+)\s*\)")
_LAST_NAME = re.compile(r"(\w+)\s*$")


@dataclass(frozen=True)
class EventField:
    """One field: its name, place (`offset`, `size` in bytes from the record's start) and type."""

    name: str
    declaration: str
    offset: int
    size: int
    type: FieldType

    @property
    def end(self) -> int:
        """Offset behind the field's fixed part."""
        return self.offset + self.size


@dataclass(frozen=True)
class EventFormat:
    """The layout of one tracepoint's records."""

    name: str
    system: str
    id: int
    common: tuple[EventField, ...]
    fields: tuple[EventField, ...]
    text: str

    @cached_property
    def fixed_bytes(self) -> int:
        """Length of the fixed part of a record."""
        return max((f.end for f in (*self.common, *self.fields)), default=0)

    def common_field(self, name: str) -> EventField | None:
        """The common field `name` (`common_pid`, ...); None where the format has none."""
        return next((f for f in self.common if f.name == name), None)


def parse_event_id(text: str) -> int:
    """The number of a format text's ID line.

    Raises InputError where there is none.
    """
    match = _ID.search(text)
    if match is None:
        raise InputError("event format", "has no ID line")
    return int(match[1])


def parse_event_format(text: str, system: str = "", long_size: int = 8) -> EventFormat:
    """Parse one format text.

    `long_size` is the kernel's: the width of the elements of a dynamic array of longs. Raises
    InputError where the name, the ID or all fields are missing, or where there are so many fields
    over the same bytes that tables would be far larger than the records.
    """
    if len(text) > _MAX_TEXT:
        raise InputError("event format", f"is longer than {_MAX_TEXT} characters")
    name = _NAME.search(text)
    if name is None:
        raise InputError("event format", "has no name line")
    fields = parse_fields(text, long_size)
    if not fields:
        raise InputError("event format", f"{name[1]} has no field")
    _check_extent(name[1], fields)
    common = tuple(f for f in fields if f.name.startswith("common_"))
    own = tuple(f for f in fields if not f.name.startswith("common_"))
    return EventFormat(name[1], system, parse_event_id(text), common, own, text)


def _check_extent(name: str, fields: list[EventField]) -> None:
    if len(fields) > _MAX_FIELDS:
        raise InputError("event format", f"{name} has {len(fields)} fields")
    declared = sum(f.size for f in fields)
    if declared > _MAX_OVERLAP * max(f.end for f in fields):
        raise InputError("event format", f"{name} has fields that overlap in {declared} bytes")


def parse_fields(text: str, long_size: int = 8) -> list[EventField]:
    """All `field:` lines of `text`, in their order; lines without a readable name are left out."""
    fields = []
    for declaration, offset, size, signed in _FIELD.findall(text):
        split = _split_declaration(declaration.strip())
        if split is None:
            continue
        name, type_text, length = split
        sign = signed == "1" if signed else None
        type_ = parse_type(type_text, length, int(size), sign, long_size)
        fields.append(EventField(name, declaration.strip(), int(offset), int(size), type_))
    return fields


def _split_declaration(declaration: str) -> tuple[str, str, str | None] | None:
    """Name, type text and array length ("" for `[]`, None for no array) of a declaration."""
    pointer = _FUNCTION_POINTER.search(declaration)
    if pointer is not None:
        return pointer[1], declaration, None
    length = None
    if declaration.endswith("]"):
        declaration, _, rest = declaration.rpartition("[")
        length = rest[:-1].strip()
    name = _LAST_NAME.search(declaration)
    if name is None:
        return None
    return name[1], declaration[: name.start()].strip(), length
