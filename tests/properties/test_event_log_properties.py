from __future__ import annotations

import json
from typing import Any

from event_log_builder import (
    ONE_OF_EACH,
    build_arrow,
    build_json_lines,
    build_parquet,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_promises import assert_as_declared, assert_clear

from spetrace.errors import InputError
from spetrace.ingest.event_log.event import EventError, read_event
from spetrace.ingest.event_log.importer import read, sniff
from spetrace.tables.events import CAUSES, EVENTS, KINDS, REGISTERS

JSON = build_json_lines(ONE_OF_EACH, {"page_size": 16384})
TABLE = read("x", memoryview(JSON)).events
FORMS = (JSON, build_parquet(TABLE), build_arrow(TABLE), build_arrow(TABLE, stream=True))

EDGES = st.sampled_from(
    [0, 1, -1, 2, 65535, 65536, 2**32 - 1, 2**32, 2**52, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64]
)  # fmt: skip
NUMBERS = st.one_of(EDGES, EDGES.map(hex), st.integers(0, 5))
VALUES = st.one_of(
    NUMBERS, st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.lists(NUMBERS, max_size=3),
    st.sampled_from(KINDS + REGISTERS + CAUSES), st.just({}),
)  # fmt: skip
FIELDS = {
    "kind": st.sampled_from(KINDS), "reg": st.sampled_from(REGISTERS), "cause": st.sampled_from(CAUSES),
    "tables": st.lists(NUMBERS, max_size=3), "writable": st.booleans(),
}  # fmt: skip
LIKELY = st.fixed_dictionaries(
    {n: FIELDS.get(n, st.integers(0, 1)) for n in EVENTS.names if n != "bytes"}
    | {"bytes": st.just(9)}
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    event = dict(draw(LIKELY))
    for name in draw(st.lists(st.sampled_from([*EVENTS.names, "note"]), max_size=3)):
        event[name] = draw(st.one_of(VALUES, FIELDS.get(name, NUMBERS)))
    for name in draw(st.lists(st.sampled_from(EVENTS.names), max_size=4)):
        event.pop(name, None)
    return event


def outcome(data: bytes) -> Any:
    try:
        return read("x", memoryview(data)).events
    except InputError as error:
        return str(error)


def reference(lines: list[str]) -> Any:
    rows = []
    for number, line in enumerate(lines, 1):
        if any(word in line for word in ("NaN", "Infinity")):
            return f"line {number}: event log: is not JSON: "
        try:
            rows.append(read_event(json.loads(line), 4096))
        except EventError as error:
            return f"line {number}: event log: {error}"
    return rows


@settings(deadline=None, max_examples=150)
@given(st.lists(events(), min_size=1, max_size=3), st.booleans())
def test_kernel_equals_plain_reference(log: list[dict], compact: bool) -> None:
    for event in log:
        event["row"] = 7
    lines = [json.dumps(e, separators=(",", ":") if compact else None) for e in log]
    told, expected = outcome("\n".join(lines).encode()), reference(lines)
    if isinstance(expected, str):
        assert isinstance(told, str)
        assert told.startswith(expected)
    else:
        assert told.to_pylist() == sorted(expected, key=lambda row: row["ts"])


def assert_events_or_refused(data: bytes) -> None:
    """Declared events, not more than lines where there are lines; or a sentence that names one."""
    lines = data.count(b"\n") + 1 if data.startswith(b"{") else 0
    try:
        recording = read("x", memoryview(data))
    except InputError as error:
        assert_clear(error, lines=lines)
        return
    assert_as_declared(recording, len(data))
    assert len(recording.events) <= (lines or len(data))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200).map(lambda tail: b"{" + tail))
def test_any_bytes_are_events_or_our_error(data: bytes) -> None:
    assert_events_or_refused(data)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(FORMS), st.data())
def test_any_damage_gives_events_or_our_error(form: bytes, data: st.DataObject) -> None:
    damaged = bytearray(form[: data.draw(st.integers(1, len(form)))])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    if sniff(bytes(damaged)):
        assert_events_or_refused(bytes(damaged))
