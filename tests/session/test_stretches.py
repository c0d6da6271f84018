"""Events taken a stretch at a time give what they give all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import BLOCK_WRITE, FETCH, PERMISSION_WRITE, READ, event, host
from small_chunks import small_chunks

from spetrace.session.assemble import assemble_streamed
from spetrace.session.clocks import HostClock
from spetrace.session.guest_time import thread_intervals
from spetrace.session.host_trace import host_trace
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import HeldFrames

WAYS = st.sampled_from(["probes", "tracepoints"])
NAMES = ("kvm_entry", "kvm_exit", "kvm_guest_fault", "kvm_mmio", "kvm_sys_access", "s2_map",
         "s2_unmap", "kvm_unmap_hva_range", "memslot")  # fmt: skip


class Parted(HeldFrames, dict):  # type: ignore[misc]
    """Frames that give stretches of so many places."""

    def __init__(self, frames: dict[str, pl.DataFrame], size: int) -> None:
        dict.__init__(self, frames)
        HeldFrames.__init__(self, frames)
        self.size = size

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        held = self.select(names)
        for start in range(0, sum(self.counts.values()), self.size):
            part = pl.col("index").is_between(start, start + self.size, closed="left")
            yield {n: own for n, frame in held.items() if len(own := frame.filter(part))}


@st.composite
def traces(draw: st.DrawFn) -> list[dict]:
    rows = []
    for time in range(draw(st.integers(1, 40))):
        name, pid = draw(st.sampled_from(NAMES)), draw(st.sampled_from([10, 11, 12, 13]))
        ipa = 0x80000000 + 4096 * draw(st.integers(0, 2))
        fields = {
            "kvm_exit": {"ret": 2, "esr_ec": 0x24, "vcpu_pc": time},
            "kvm_guest_fault": {
                "hsr": draw(st.sampled_from([FETCH, READ, BLOCK_WRITE, PERMISSION_WRITE, None])),
                "ipa": ipa, "hxfar": ipa, "vcpu_pc": 1,
            },
            "s2_map": {"pgt": pid // 12, "ipa": ipa, "size": 4096, "prot": 3},
            "s2_unmap": {"pgt": pid // 12, "ipa": ipa, "size": 8192},
            "kvm_unmap_hva_range": {"start": ipa, "end": ipa + 8192},
            "memslot": {"slot": 0, "flags": 0, "gpa": 0x80000000, "size": 0x4000,
                        "hva": 0x80000000 + 4096 * draw(st.integers(0, 1))},
            "kvm_sys_access": {
                "Op0": 3, "Op1": 0, "CRn": 9, "CRm": 10, "Op2": 1, "is_write": 1, "vcpu_pc": 4,
            },
        }.get(name, {})  # fmt: skip
        comm = f"kvm-vcpu-{pid % 2}"
        rows.append(event(name, 10 * time, pid, comm=comm, tgid=pid // 12, **fields))
    return rows


def derived(recording: Recording, told: str) -> dict[str, pa.Table]:
    session = assemble_streamed([recording], SessionOptions(stage2_from=told))
    tables = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in session.tables.items()}
    return tables | {"machines": session.machines, "quality": session.quality[-1]}


@settings(deadline=None, max_examples=40)
@given(rows=traces(), size=st.integers(1, 7), chunk=st.integers(1, 7), told=WAYS)
def test_any_stretches_give_the_same_tables(
    rows: list[dict], size: int, chunk: int, told: str
) -> None:
    """Stretches of the recording, and of the arrays that are made of it."""
    whole = host(rows)
    parted = host(rows)
    parted.tracepoints = Parted(dict(parted.tracepoints), size)
    expected = derived(whole, told)
    with small_chunks(chunk):
        found = derived(parted, told)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        same = (
            table.equals(found[name]) if isinstance(table, pl.DataFrame) else table == found[name]
        )
        assert same, name


def plain_links(rows: list[dict]) -> tuple[list[int | None], dict[int, list[tuple[int, int]]]]:
    """Per exit the time of its entry, and per thread the intervals in the guest, by a plain walk."""
    ends: list[int | None] = []
    open_exit: dict[int, int] = {}
    open_entry: dict[int, int] = {}
    inside: dict[int, list[tuple[int, int]]] = {}
    for row in rows:
        pid, time = row["pid"], row["time_ns"]
        if row["name"] == "kvm_exit":
            if pid in open_entry:
                inside[pid].append((open_entry.pop(pid), time))
            open_exit[pid] = len(ends)
            ends.append(None)
        elif row["name"] == "kvm_entry":
            inside.setdefault(pid, [])
            open_entry[pid] = time
            if pid in open_exit:
                ends[open_exit.pop(pid)] = time
    return ends, inside


@settings(deadline=None, max_examples=60)
@given(rows=traces(), size=st.integers(1, 7))
def test_pairs_are_those_of_a_plain_walk(rows: list[dict], size: int) -> None:
    recording = host(rows)
    recording.tracepoints = Parted(dict(recording.tracepoints), size)
    trace = host_trace([recording], {0: HostClock("local")})
    ends, inside = plain_links(rows)
    exits = trace.tracks.exits
    paired = zip(exits.entry_ns.tolist(), exits.is_paired.tolist(), strict=True)
    assert [time if known else None for time, known in paired] == ends
    found = {
        thread: list(zip(start.tolist(), end.tolist(), strict=True))
        for thread, (start, end) in thread_intervals(trace).items()
    }
    assert found == inside
