"""Which fields an event of each kind has, their ranges and their defaults.

Any other key of an event is ignored, as is a field that its kind doesn't have.
"""

from __future__ import annotations

from typing import Any

from spetrace.tables.events import CAUSES, KINDS, REGISTERS

_RANGE = ("ipa", "pages")
REQUIRED: dict[str, tuple[str, ...]] = {
    "sysreg_write": ("reg", "value"),
    "eret": ("to_el",),
    "exception": (),
    "spe_record": ("bytes",),
    "buffer_full": (),
    "stage1_map": ("va", *_RANGE),
    "stage1_unmap": ("va", "pages"),
    "stage2_map": _RANGE,
    "stage2_wrprotect": _RANGE,
    "stage2_unmap": _RANGE,
}
"""By kind, the fields that it must have beside `ts`."""

OPTIONAL = {"stage1_map": ("tables",), "stage2_map": ("writable",), "stage2_unmap": ("cause",)}
COMMON = ("vm", "vcpu", "row")
"""Optional fields of every kind."""

DEFAULTS: dict[str, Any] = {"vm": 0, "vcpu": 0, "writable": True, "cause": "unknown"}
"""What an absent field means; without a default it stays null."""

_U64 = (1 << 64) - 1
INTEGERS = {
    "ts": (-(1 << 63), (1 << 63) - 1),
    "vm": (0, (1 << 16) - 1),
    "vcpu": (0, (1 << 16) - 1),
    "value": (0, _U64),
    "to_el": (0, 1),
    "bytes": (1, (1 << 32) - 1),
    "va": (0, _U64),
    "ipa": (0, _U64),
    "pages": (1, _U64),
    "row": (0, _U64),
}
"""Integer fields: smallest and largest value. Elements of `tables` have the range of `ipa`."""

NAMES = {"kind": KINDS, "reg": REGISTERS, "cause": CAUSES}
"""Fields that hold one of a few names."""

ADDRESSES = ("va", "ipa")
"""Fields from which `pages` pages must end within the 64-bit address space."""

PAGE_SIZES = (4096, 16384, 65536)


def fields_of(kind: str) -> tuple[str, ...]:
    """All fields that an event of `kind` can have, without `ts` and `kind`."""
    return REQUIRED[kind] + OPTIONAL.get(kind, ()) + COMMON


def kinds_with(field: str) -> list[str]:
    """The kinds that can have `field`."""
    return [kind for kind in KINDS if field in fields_of(kind)]


def page_size_of(parameters: dict[str, Any]) -> int:
    """The session line's page size; 4096 where it has none (a wrong one is the replay's to refuse)."""
    size = parameters.get("page_size")
    return size if isinstance(size, int) and size in PAGE_SIZES else PAGE_SIZES[0]
