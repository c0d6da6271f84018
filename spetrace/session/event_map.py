"""An event map: which events of one's own are which events of the log, as TOML.

Each [[event]] names a tracepoint or probe (`event`), the `kind` that its events are, and per column of
that kind a field, a constant, or a table: `field`, `values` (what the field's values stand for),
`factor`, `unit` ("bytes" or "pages"). `where` selects by fields; `recorded = "guest"` says that the
times are the guest's and its CPUs are the vCPUs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spetrace.errors import InputError
from spetrace.session.side_file import read_side_file
from spetrace.tables.events import CAUSES, REGISTERS

STRUCTURE: Final = "event map"
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "sysreg_write": ("reg", "value"),
    "eret": ("to_el",),
    "exception": (),
    "spe_record": ("bytes",),
    "buffer_full": (),
    "stage1_map": ("va", "ipa", "pages"),
    "stage1_unmap": ("va", "pages"),
    "stage2_map": ("ipa", "pages"),
    "stage2_wrprotect": ("ipa", "pages"),
    "stage2_unmap": ("ipa", "pages"),
}
"""Per kind of the event log the columns that its events must have."""
MORE: Final = {"stage2_map": ("writable",), "stage2_unmap": ("cause",)}
PROBES: Final[dict[str, tuple[str, ...]]] = {
    "s2_map": ("pgt", "ipa", "size"),
    "s2_unmap": ("pgt", "ipa", "size"),
    "s2_relax": ("pgt", "ipa", "prot"),
    "s2_wp": ("pgt", "ipa", "size"),
    "memslot": ("slot", "gpa", "size", "hva"),
}
"""Per probe of `spetrace recipe` the fields that it must have."""
MORE_OF_PROBES: Final = {"s2_map": ("prot",), "memslot": ("flags",)}
NAMES: Final = {"reg": REGISTERS, "cause": CAUSES}
"""Columns that hold one of a few names; here as the name's place."""
_MACHINE: Final = ("vm", "vcpu")
_FIXED: Final = ("event", "kind", "recorded", "where")
_UNITS: Final = ("bytes", "pages")
_WITH_UNIT: Final = ("va", "ipa", "pages", "gpa", "hva", "size")
_TOP: Final = (1 << 64) - 1


@dataclass(frozen=True)
class Source:
    """Where a column's values come from: one value for all, or a field of the event."""

    constant: int | None = None
    field: str = ""
    values: Mapping[str, int] | None = None
    """What the field's values, as text, stand for; an event with another one is left out."""
    factor: int = 1
    unit: str = ""
    """"bytes" or "pages"; "" for the column's own."""


@dataclass(frozen=True)
class MappedEvent:
    """One [[event]]: an event by its name, and the kind of event that it is."""

    event: str
    kind: str
    columns: Mapping[str, Source]
    where: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    in_guest: bool = False
    place: str = "event[0]"
    """How the map's errors name it."""

    @property
    def is_probe(self) -> bool:
        """Whether it stands for one of the probes that the session reads."""
        return self.kind in PROBES

    @property
    def fields(self) -> dict[str, str]:
        """The fields that it reads: field to the key of the map that names it."""
        read = {source.field: key for key, source in self.columns.items() if source.field}
        return dict.fromkeys(self.where, "where") | read


def parse_event_map(text: str) -> tuple[MappedEvent, ...]:
    """An event map from its text; raises InputError with the key, or the parser's own words."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(STRUCTURE, str(error)) from error
    unknown = next((key for key in values if key != "event"), None)
    if unknown is not None:
        raise InputError(STRUCTURE, f"{unknown}: no such key; there is [[event]]")
    events = values.get("event")
    if not isinstance(events, list) or not events:
        raise InputError(STRUCTURE, "holds no [[event]]")
    return tuple(_event(f"event[{place}]", one) for place, one in enumerate(events))


def read_event_map(path: Path) -> tuple[MappedEvent, ...]:
    """An event map from its file; raises InputError with file and key."""
    try:
        return parse_event_map(read_side_file(path, STRUCTURE))
    except InputError as error:
        raise error.in_file(str(path)) from error


def _event(place: str, values: Any) -> MappedEvent:
    if not isinstance(values, dict):
        raise InputError(STRUCTURE, f"{place}: is no table")
    name, kind = (_text(place, values, key) for key in ("event", "kind"))
    kinds = (*NEEDED, *PROBES)
    if kind not in kinds:
        raise InputError(STRUCTURE, f"{place}.kind: {kind!r} is none of {', '.join(kinds)}")
    needed = NEEDED[kind] if kind in NEEDED else PROBES[kind]
    more = MORE.get(kind, MORE_OF_PROBES.get(kind, ())) + (() if kind in PROBES else _MACHINE)
    for key in values:
        if key not in (*_FIXED, *needed, *more):
            known = ", ".join((*_FIXED, *needed, *more))
            raise InputError(STRUCTURE, f"{place}.{key}: no such key for {kind}; there are {known}")
    for key in needed:
        if key not in values:
            raise InputError(STRUCTURE, f"{place}.{key}: is missing; kind {kind} needs it")
    recorded = values.get("recorded", "host")
    if recorded not in ("host", "guest") or (recorded == "guest" and kind in PROBES):
        wanted = "host" if kind in PROBES else "host or guest"
        raise InputError(STRUCTURE, f"{place}.recorded: {recorded!r} is not {wanted}")
    return MappedEvent(
        name,
        kind,
        {
            key: _source(f"{place}.{key}", key, values[key])
            for key in (*needed, *more)
            if key in values
        },
        _where(f"{place}.where", values.get("where", {})),
        recorded == "guest",
        place,
    )


def _text(place: str, values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(STRUCTURE, f"{place}.{key}: is missing or no text")
    return value


def _source(place: str, column: str, value: Any) -> Source:
    if isinstance(value, dict):
        return _field_source(place, column, value)
    if isinstance(value, str) and value not in NAMES.get(column, ()):
        return Source(field=value, values=_own_names(column))
    return Source(constant=_number(place, column, value))


def _field_source(place: str, column: str, value: Mapping[str, Any]) -> Source:
    for key in value:
        if key not in ("field", "values", "factor", "unit"):
            known = "field, values, factor, unit"
            raise InputError(STRUCTURE, f"{place}.{key}: no such key; there are {known}")
    factor, unit = value.get("factor", 1), value.get("unit", "")
    if not isinstance(factor, int) or isinstance(factor, bool) or not 0 < factor <= 1 << 40:
        raise InputError(STRUCTURE, f"{place}.factor: {factor!r} is no integer from 1 to 2^40")
    if "unit" in value and (unit not in _UNITS or column not in _WITH_UNIT):
        wanted = "bytes or pages" if column in _WITH_UNIT else f"for {column}, which has none"
        raise InputError(STRUCTURE, f"{place}.unit: {unit!r} is not {wanted}")
    values = value.get("values")
    if values is None:
        return Source(None, _text(place, value, "field"), _own_names(column), factor, unit)
    if not isinstance(values, dict) or not values:
        raise InputError(STRUCTURE, f"{place}.values: is no table of values")
    meant = {key: _number(f"{place}.values.{key}", column, v) for key, v in values.items()}
    return Source(None, _text(place, value, "field"), meant, factor, unit)


def _own_names(column: str) -> dict[str, int] | None:
    """A field for a column of names holds the names themselves, where the map says nothing else."""
    return {name: n for n, name in enumerate(NAMES[column])} if column in NAMES else None


def _number(place: str, column: str, value: Any) -> int:
    """A constant as a number: itself, or the place of its name."""
    if column in NAMES:
        if value not in NAMES[column] or not isinstance(value, str):
            names = ", ".join(NAMES[column])
            raise InputError(STRUCTURE, f"{place}: {value!r} is none of {names}, nor a field")
        return NAMES[column].index(value)
    if not isinstance(value, int) or not 0 <= value <= _TOP:
        raise InputError(STRUCTURE, f"{place}: {value!r} is no integer from 0 to 2^64 - 1")
    return int(value)


def _where(place: str, value: Any) -> dict[str, tuple[int | str, ...]]:
    if not isinstance(value, dict):
        raise InputError(STRUCTURE, f"{place}: is no table of fields and their values")
    wanted = {}
    for name, one in value.items():
        listed = one if isinstance(one, list) else [one]
        if not listed or not all(isinstance(v, int | str) for v in listed):
            raise InputError(
                STRUCTURE, f"{place}.{name}: {one!r} is no integer, text or list of them"
            )
        wanted[name] = tuple(int(v) if isinstance(v, bool) else v for v in listed)
    return wanted
