"""AUX records on another clock than the SPE records (perf record -k): their times are not mixed."""

from __future__ import annotations

from dataclasses import replace

from session.session_recordings import FakeSpe, rows, spe

from spetrace.session.assemble import assemble
from spetrace.session.clocks import has_one_clock
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import TimeConversion

FAR = 10**15
DATA = FakeSpe(
    [(0, FAR, 0, 128), (0, FAR + 500, 128, 64)],
    [(0, 0, 64, 100, 0), (0, 64, 64, 200, 0), (0, 128, 64, 300, 0)],
    time_conversion=TimeConversion(0, 1, 0),
)


def test_register_writes_take_the_records_times() -> None:
    recording = replace(spe(DATA), properties={"clockid": "monotonic"})
    assert not has_one_clock(recording)
    events = assemble([recording], SessionOptions()).events
    assert max(ts for (ts,) in rows(events, "ts")) == 300


def test_register_writes_take_the_aux_records_times_on_one_clock() -> None:
    assert has_one_clock(spe(DATA))
    events = assemble([spe(DATA)], SessionOptions()).events
    assert max(ts for (ts,) in rows(events, "ts")) == FAR + 500


def test_aux_records_times_are_all_there_is_without_a_conversion() -> None:
    data = replace(DATA, time_conversion=None)
    assert has_one_clock(replace(spe(data), properties={"clockid": "monotonic"}))
