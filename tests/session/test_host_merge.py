"""Several files of one host, read a stretch at a time, give what they give all at once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import READ, event, host
from small_chunks import small_chunks
from test_stretches import Parted

from spetrace.session import host_stretches
from spetrace.session.assemble import assemble_streamed
from spetrace.session.host_merge import follow_in_time, merged
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording

RAM = 0x80000000


@st.composite
def files(draw: st.DrawFn) -> list[list[dict]]:
    """Files whose events are in order of time, several of one time among them."""
    made = []
    for number in range(draw(st.integers(2, 3))):
        time, rows = 0, []
        for _ in range(draw(st.integers(1, 20))):
            time += draw(st.integers(0, 3))
            name = draw(st.sampled_from(["kvm_entry", "kvm_exit", "kvm_guest_fault", "s2_map"]))
            pid = draw(st.sampled_from([10, 11]))
            ipa = RAM + 4096 * draw(st.integers(0, 2))
            fields = {
                "kvm_exit": {"ret": 2, "esr_ec": 0x24},
                "kvm_guest_fault": {"hsr": READ, "ipa": ipa, "hxfar": ipa},
                "s2_map": {"pgt": 7, "ipa": ipa, "size": 4096, "prot": 3},
            }.get(name, {})  # fmt: skip
            if number:
                fields = fields | {"vcpu_pc": time}
            rows.append(event(name, time, pid, comm=f"kvm-vcpu-{pid % 2}", tgid=5, **fields))
        made.append(rows)
    return made


def tables(recordings: list[Recording]) -> dict[str, pl.DataFrame]:
    made = assemble_streamed(recordings, SessionOptions()).tables
    return {name: pl.DataFrame(pl.from_arrow(table)) for name, table in made.items()}


@settings(deadline=None, max_examples=40)
@given(files(), st.integers(1, 6), st.integers(1, 6))
def test_stretches_of_several_files_give_the_same_tables(inputs, size: int, chunk: int) -> None:
    expected = tables([host(rows) for rows in inputs])
    parted = [host(rows) for rows in inputs]
    for recording in parted:
        recording.tracepoints = Parted(dict(recording.tracepoints), size)
    with pytest.MonkeyPatch.context() as patch, small_chunks(chunk):
        patch.setattr(host_stretches, "HELD_EVENTS", 0)
        found = tables(parted)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        assert table.equals(found[name]), name


def stretch(*times: int, source: int = 0) -> dict[str, pl.DataFrame]:
    columns = {"time_ns": list(times), "source": [source] * len(times), "order": list(times)}
    return {
        "a": pl.DataFrame(columns, {"time_ns": pl.Int64, "source": pl.UInt16, "order": pl.Int64})
    }


def test_events_of_one_time_come_file_by_file() -> None:
    first = iter([stretch(1, 5), stretch(5, 9)])
    second = iter([stretch(0, 5, 5, source=1), stretch(5, 6, source=1)])
    found = pl.concat(part["a"] for part in merged([first, second]))
    assert found["time_ns"].to_list() == [0, 1, 5, 5, 5, 5, 5, 6, 9]
    assert found["source"].to_list() == [1, 0, 0, 0, 1, 1, 1, 1, 0]
    assert found["order"].to_list() == list(range(9))


def test_file_that_goes_back_in_time_is_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert follow_in_time(iter([stretch(1, 5), {}, stretch(5, 9)]))
    assert not follow_in_time(iter([stretch(1, 5), stretch(4, 9)]))
    monkeypatch.setattr(host_stretches, "HELD_EVENTS", 0)
    rows = [event("kvm_entry", 9, 10), event("kvm_exit", 1, 10, ret=2, esr_ec=1)]
    late = host(rows)
    late.tracepoints = Parted(dict(late.tracepoints), 1)
    other = host([event("kvm_entry", 5, 11)])
    exits = tables([late, other])["kvm_exits"]
    assert exits.select("exit_ns", "entry_ns").rows() == [(1, 9)]
