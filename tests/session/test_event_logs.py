from session_recordings import FakeSpe, event, host, rows, spe

from spetrace.session.assemble import assemble
from spetrace.session.options import SessionOptions
from spetrace.tables.events import EVENTS
from spetrace.tables.recording import Recording


def log(times, vm: int = 0, **parameters) -> Recording:
    events = EVENTS.from_columns(
        {
            "ts": times,
            "vm": [vm] * len(times),
            "vcpu": [7] * len(times),
            "kind": ["buffer_full"] * len(times),
        }
    )
    return Recording("log.jsonl", "event log", 1, events=events, parameters=parameters)


def test_event_log_is_taken_as_it_is() -> None:
    recording = log([1, 2, 3], memory_bytes=4096)
    session = assemble([recording], SessionOptions())
    assert session.events is recording.events
    assert session.parameters == {"memory_bytes": 4096}
    assert session.assumptions == []
    assert session.machines == []


def test_event_logs_are_merged_by_time() -> None:
    first = log([1, 3], vm=0, costs={"irq_ns": 1}, vms={"0": {"memory_bytes": 1}}, page_size=4096)
    other = log([2, 3], vm=1, costs={"vm_exit_ns": 2}, vms={"1": {"memory_bytes": 2}})
    session = assemble([first, other], SessionOptions())
    assert rows(session.events, "ts", "vm") == [(1, 0), (2, 1), (3, 0), (3, 1)]
    assert session.parameters == {
        "costs": {"irq_ns": 1, "vm_exit_ns": 2},
        "vms": {"0": {"memory_bytes": 1}, "1": {"memory_bytes": 2}},
        "page_size": 4096,
    }


def test_event_log_beside_captures_comes_first_of_one_time() -> None:
    guest = FakeSpe([(0, 9, 0, 64)], [(0, 0, 64, 5, 1)])
    session = assemble([spe(guest), log([2, 9])], SessionOptions())
    kinds = rows(session.events, "ts", "kind")
    assert kinds[:3] == [(2, "buffer_full"), (2, "stage1_map"), (2, "stage2_map")]
    assert kinds[-3:] == [(9, "buffer_full"), (9, "sysreg_write"), (9, "sysreg_write")]


def test_event_log_makes_a_host_trace_replayable() -> None:
    trace = host([event("kvm_entry", 1), event("s2_map", 5, pgt=1, ipa=4096, size=4096)])
    session = assemble([trace, log([3])], SessionOptions())
    assert rows(session.events, "ts", "kind") == [(3, "buffer_full"), (5, "stage2_map")]
