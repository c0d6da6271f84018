"""One event as a JSON object or a row: the plain-Python statement of what a valid event is.

The compiled and vectorised readers accept only what this accepts, with the same values, and leave
to it whatever they find odd; so every complaint is worded here.
"""

from __future__ import annotations

import re
import reprlib
from typing import Any

from spetrace.ingest.event_log.fields import (
    ADDRESSES,
    DEFAULTS,
    INTEGERS,
    NAMES,
    REQUIRED,
    fields_of,
)
from spetrace.tables.events import EVENTS

_HEX = re.compile(r"0[xX][0-9a-fA-F]+")


class EventError(ValueError):
    """What is wrong with an event, as a clause without its place."""


def read_event(event: Any, page_size: int) -> dict[str, Any]:
    """The columns of table events (without a row number, `row` is None) for one event.

    Raises EventError for what is no event, lacks a field or has a wrong value in one.
    """
    if not isinstance(event, dict):
        raise EventError("is not a JSON object")
    if event.get("kind") == "session":
        raise EventError("a session line can only be the first line")
    columns: dict[str, Any] = dict.fromkeys(EVENTS.names)
    for field in ("ts", "kind"):
        columns[field] = _required(event, field)
    for field in fields_of(columns["kind"]):
        needed = field in REQUIRED[columns["kind"]]
        columns[field] = _required(event, field) if needed else _optional(event, field)
    _check_span(columns, page_size)
    return columns


def _required(event: dict[str, Any], field: str) -> Any:
    if event.get(field) is None:
        of = f" of {event['kind']}" if field not in ("ts", "kind") else ""
        raise EventError(f"{field}{of} is missing")
    return _value(field, event[field])


def _optional(event: dict[str, Any], field: str) -> Any:
    value = event.get(field)
    return DEFAULTS.get(field) if value is None else _value(field, value)


def _value(field: str, value: Any) -> Any:
    if field in NAMES:
        return _name(field, value)
    if field == "writable":
        if not isinstance(value, bool):
            raise EventError(f"writable {_shown(value)} is neither true nor false")
        return value
    if field == "tables":
        if not isinstance(value, list):
            raise EventError(f"tables {_shown(value)} is not a list of addresses")
        return [_integer("tables", element, INTEGERS["ipa"]) for element in value]
    return _integer(field, value, INTEGERS[field])


def _name(field: str, value: Any) -> str:
    if not isinstance(value, str) or value not in NAMES[field]:
        raise EventError(f"{field} {_shown(value)} is not one of {', '.join(NAMES[field])}")
    return value


def _integer(field: str, value: Any, limits: tuple[int, int]) -> int:
    number = value
    if isinstance(value, str) and _HEX.fullmatch(value):
        number = int(value, 16)
    if not isinstance(number, int) or isinstance(number, bool):
        raise EventError(f'{field} {_shown(value)} is not an integer (nor a string "0x...")')
    low, high = limits
    if not low <= number <= high:
        raise EventError(f"{field} {_shown(value)} is not from {_limit(low)} to {_limit(high)}")
    return number


def _check_span(columns: dict[str, Any], page_size: int) -> None:
    for field in ADDRESSES:
        if columns[field] is not None:
            first = columns[field] // page_size
            if (first + columns["pages"]) * page_size > 1 << 64:
                raise EventError(
                    f"{columns['pages']} pages of {page_size} bytes from {field} "
                    f"{columns[field]:#x} on end beyond 2^64"
                )


def _limit(value: int) -> str:
    for bits in (16, 32, 63, 64):
        if value == (1 << bits) - 1:
            return f"2^{bits} - 1"
    return "-2^63" if value == -(1 << 63) else str(value)


def _shown(value: Any) -> str:
    return reprlib.repr(value)
