"""What a trace shows are the rows of the tables that it is made from."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
from export.trace_reader import Shown, read_trace
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.export.aux_tracks import aux_marks
from spetrace.export.machines import Machines
from spetrace.export.perfetto_trace import write_scene
from spetrace.export.run_tracks import run_marks
from spetrace.export.scene import Scene
from spetrace.export.session_tracks import session_marks
from spetrace.export.tracks import Marks
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.results import ABORTS, BLACKOUTS, PINNED
from spetrace.tables.run import Run
from spetrace.tables.stage2_faults import STAGE2_FAULTS

EXIT = {"vm": 0, "vcpu": 1, "ret": 2, "exit_class": 1, "exit_class_name": "WFx", "pc": 0x1000}
FAULT = {
    "vm": 0, "vcpu": 0, "time_ns": 7, "pc": 1, "esr": 2, "va": 3, "ipa": 4, "kind": "translation",
    "level": -1, "is_write": True, "on_stage1_walk": False, "is_fetch": False, "mmio": None,
    "is_cache_maintenance": False,
}  # fmt: skip
AUX = {
    "cpu": 3, "tid": 9, "aux_offset": 0, "size_bytes": 64, "flags": 0, "truncated": False,
    "overwrite": False, "partial": False, "collision": False,
}  # fmt: skip


def table(declared, rows: list[dict]) -> pa.Table:
    """Rows by column name; `source` is 0, what is not given null."""
    filled = [{"source": 0} | row for row in rows]
    columns = {name: [row.get(name) for row in filled] for name in declared.names}
    return declared.from_columns(columns, len(rows))


def shown(*marks: Marks) -> Shown:
    scene = Scene()
    scene.add(marks)
    with tempfile.NamedTemporaryFile() as file:
        written = write_scene(scene, file)
        file.flush()
        trace = read_trace(Path(file.name))
    assert written.events == trace.events
    assert written.tracks == trace.descriptors
    return trace


def shown_exits(rows: list[dict]) -> Shown:
    tables = {"kvm_exits": table(KVM_EXITS, [EXIT | row for row in rows])}
    return shown(*session_marks(tables, Machines([])))


def test_vcpu_is_in_host_and_guest_in_turns() -> None:
    trace = shown_exits([{"exit_ns": 10, "entry_ns": 15}, {"exit_ns": 30, "ret": 0}])
    assert [(s.name, s.start, s.end) for s in trace.slices] == [
        ("WFx", 10, 15), ("guest", 15, 30), ("IRQ", 30, None),
    ]  # fmt: skip
    assert {s.track for s in trace.slices} == {"VM 0 / vCPU 1"}
    assert trace.slices[0].details == {"pc": 0x1000, "row": 0}


def test_exit_whose_entry_was_lost_claims_no_time() -> None:
    trace = shown_exits([{"exit_ns": 10}, {"exit_ns": 30, "entry_ns": 31}])
    assert [(s.start, s.end) for s in trace.slices] == [(10, 10), (30, 31), (31, None)]


def test_exits_of_unknown_vcpus_are_no_guest_time() -> None:
    rows = [{"exit_ns": t, "entry_ns": t + 5, "vm": None, "vcpu": None} for t in (0, 2)]
    trace = shown_exits(rows)
    assert [(s.name, s.track) for s in trace.slices] == [("WFx", "unknown VM / unknown vCPU")] * 2


def test_times_before_zero_are_moved_and_it_is_said() -> None:
    trace = shown_exits([{"exit_ns": -5, "entry_ns": 5}])
    assert (trace.slices[0].start, trace.slices[0].end) == (0, 10)
    assert trace.facts["spetrace.moved_ns"].startswith("5 ")


def test_fault_with_its_details() -> None:
    tables = {"stage2_faults": table(STAGE2_FAULTS, [FAULT])}
    (fault,) = shown(*session_marks(tables, Machines([]))).instants
    assert (fault.track, fault.name) == ("VM 0 / vCPU 0 / stage-2 faults", "translation, write")
    details = {"pc": 1, "esr": 2, "va": 3, "ipa": 4, "level": -1, "row": 0}
    assert (fault.time, fault.details) == (7, details)


def test_fault_of_unknown_access_says_none() -> None:
    unknown = dict.fromkeys(("is_write", "on_stage1_walk", "is_fetch", "is_cache_maintenance"))
    rows = [FAULT | unknown, FAULT | {"is_write": False}]
    tables = {"stage2_faults": table(STAGE2_FAULTS, rows)}
    faults = shown(*session_marks(tables, Machines([]))).instants
    assert [fault.name for fault in faults] == ["translation", "translation, read"]


def test_register_writes_and_buffer_full_events() -> None:
    events = [
        {"ts": 1, "vm": 0, "vcpu": 0, "kind": "sysreg_write", "reg": "PMSCR_EL1", "value": 3},
        {"ts": 2, "vm": 0, "vcpu": 0, "kind": "buffer_full"},
        {"ts": 3, "vm": 0, "vcpu": 0, "kind": "buffer_full"},
    ]
    trace = shown(*session_marks({"events": table(EVENTS, events)}, Machines([])))
    assert [(i.track.split(" / ")[2], i.name, i.time) for i in trace.instants] == [
        ("SPE registers", "PMSCR_EL1", 1),
        ("SPE buffer", "buffer full", 2),
        ("SPE buffer", "buffer full", 3),
    ]
    assert trace.instants[0].details == {"value": 3}


def test_aux_records_and_gaps_of_a_file() -> None:
    records = [AUX | {"time_ns": 5, "truncated": True, "collision": True}, AUX | {"time_ns": 6}]
    gaps = [
        {"cpu": 3, "start_ns": 5, "end_ns": 9, "cause": "truncated", "records_lost_estimate": 4},
        {"cpu": 3, "end_ns": 4, "cause": "stopped"},
        {"cpu": 3, "cause": "stopped"},
    ]
    tables = {
        "aux_records": table(AUX_RECORDS, records),
        "recording_gaps": table(RECORDING_GAPS, gaps),
    }
    trace = shown(*aux_marks(tables, [{"name": "a\udcffb"}]))
    assert [(i.name, i.time) for i in trace.instants] == [("truncated, collision", 5), ("data", 6)]
    assert [(s.start, s.end) for s in trace.slices] == [(4, 4), (5, 9)]
    assert set(trace.tracks) == {
        "AUX area of a\\udcffb",
        "AUX area of a\\udcffb / CPU 3 AUX records",
        "AUX area of a\\udcffb / CPU 3 gaps",
    }


def test_threads_keep_their_recorded_numbers() -> None:
    machines = Machines([{"vm": 0, "pid": 50, "vcpus": [{"vcpu": 1, "pid": 51}]}, None, {"vm": []}])
    tables = {"kvm_exits": table(KVM_EXITS, [EXIT | {"exit_ns": 1, "entry_ns": 2}])}
    thread = shown(*session_marks(tables, machines)).tracks["VM 0 / vCPU 1"].thread
    assert (thread.pid, thread.tid) == (50, 51)


NUMBER = st.integers(0, 2)
TIME = st.integers(0, 50)
BLACKOUT = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from(["map-on-fault", "pin-walk"]), "vm": NUMBER, "vcpu": NUMBER,
        "start_ns": TIME, "end_ns": TIME.map(lambda t: t + 50), "cause": st.just("fault"),
        "va": st.none() | st.integers(0, 2**64 - 1), "records_lost": st.integers(0, 2**63 - 1),
    }
)  # fmt: skip
ABORT = st.fixed_dictionaries(
    {
        "strategy": st.just("inject-abort"), "vm": NUMBER, "vcpu": NUMBER, "ts": TIME,
        "reason": st.text(max_size=5), "records_discarded": NUMBER,
        "stopped_until_ns": st.none() | TIME.map(lambda t: t + 50),
    }
)  # fmt: skip
PIN = st.fixed_dictionaries(
    {"strategy": st.just("pin-vm"), "vm": NUMBER, "ts": TIME, "pinned_bytes": st.integers(0, 2**62)}
)
EXITS = st.lists(
    st.fixed_dictionaries(
        {"vm": NUMBER, "vcpu": NUMBER, "exit_ns": TIME, "entry_ns": st.none() | TIME}
    ),
    min_size=1,
    max_size=20,
)


@given(
    st.lists(BLACKOUT, max_size=15), st.lists(ABORT, max_size=15), st.lists(PIN, max_size=15)
)  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_every_row_of_a_run_is_shown(
    blackouts: list[dict], aborts: list[dict], pinned: list[dict]
) -> None:
    run = Run(
        blackouts=table(BLACKOUTS, blackouts), aborts=table(ABORTS, aborts),
        pinned=table(PINNED, pinned),
    )  # fmt: skip
    trace = shown(*run_marks(run, Machines([])))
    of_row = {(s.name.split(":")[0], s.details["row"]): s for s in trace.slices}
    assert len(trace.slices) == len(of_row) == len(blackouts) + len(aborts)
    for row, blackout in enumerate(blackouts):
        slice_ = of_row["blackout", row]
        path = "VM {vm} / {strategy} / vCPU {vcpu} blackouts".format(**blackout)
        assert (slice_.track, slice_.start, slice_.end) == (
            path, blackout["start_ns"], blackout["end_ns"],
        )  # fmt: skip
        assert slice_.details.get("va") == blackout["va"]
        assert slice_.details["records_lost"] == blackout["records_lost"]
    for row, abort in enumerate(aborts):
        slice_ = of_row["abort", row]
        assert (slice_.start, slice_.end) == (abort["ts"], abort["stopped_until_ns"])
        assert slice_.name == f"abort: {abort['reason']}"
    points = [
        (f"VM {p['vm']} / {p['strategy']} / pinned", p["ts"], p["pinned_bytes"]) for p in pinned
    ]
    drawn = [(path, *point) for path, values in trace.counters.items() for point in values]
    assert sorted(drawn) == sorted(points)


@given(EXITS)
@settings(deadline=None, max_examples=30)
def test_any_exits_give_a_trace_that_keeps_the_rules(rows: list[dict]) -> None:
    trace = shown_exits(rows)
    host = [s for s in trace.slices if s.name == "WFx"]
    assert sorted(s.details["row"] for s in host) == list(range(len(rows)))
    assert all(s.start == rows[s.details["row"]]["exit_ns"] for s in host)


def test_strategies_come_after_all_vcpus() -> None:
    machines = Machines([])
    vcpus = [machines.vcpu(0, vcpu) for vcpu in (0, 40, None)]
    row = {"strategy": "pin-vm", "vm": 0, "ts": 1, "pinned_bytes": 4096}
    *_, pinned = run_marks(Run(pinned=table(PINNED, [row])), machines)
    group = pinned.tracks[0].parent
    assert group is not None
    assert [group.parent == vcpu.parent for vcpu in vcpus] == [True] * 3
    assert all(group.rank > vcpu.rank for vcpu in vcpus)


def test_asking_for_a_track_again_takes_no_other_number() -> None:
    machines = Machines([{"vm": 0, "pid": 50}])
    first = [machines.vcpu(vm, vcpu) for vm in (0, 1) for vcpu in (0, 1)]
    again = [machines.vcpu(vm, vcpu) for vm in (0, 1) for vcpu in (0, 1)]
    assert first == again
    own = sorted({track.tid for track in first} | {machines.vm(1).pid})
    assert own == list(range(own[0], own[0] + 5))
