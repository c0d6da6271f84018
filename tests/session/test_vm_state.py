from session_recordings import event, host, whole_session
from stage2_traces import HVA, MIB, RAM, SLOT, derived, entry, fault, leave, probe, table, unmap

from spetrace.session.options import SessionOptions

ROW = ("time_ns", "mapped_pages", "writable_pages", "stage2_from")


def test_probes_map_write_protect_relax_and_unmap() -> None:
    session = derived(
        SLOT, entry(1), leave(2), probe("s2_map", 3, RAM, size=0x4000, prot=7), entry(4),
        probe("s2_wp", 5, RAM, size=0x2000), probe("s2_relax", 6, RAM, prot=7),
        probe("s2_map", 7, RAM + 0x8000, size=0x1000, prot=1),
        probe("s2_unmap", 8, RAM + 0x1000, pid=99, size=0x2000),
    )  # fmt: skip
    assert table(session, "vm_state", *ROW) == [
        (0, 0, 0, "probes"), (3, 4, 4, "probes"), (5, 4, 2, "probes"), (6, 4, 3, "probes"),
        (7, 5, 3, "probes"), (8, 3, 2, "probes"),
    ]  # fmt: skip


def test_tracepoints_map_at_the_entry_and_unmap_by_memslots() -> None:
    session = derived(
        SLOT, entry(1), leave(2), fault(3, RAM), entry(4), leave(5), fault(6, RAM + 0x1000),
        entry(7), unmap(8, HVA, HVA + 0x1000), unmap(9, HVA + MIB, HVA + 2 * MIB),
    )  # fmt: skip
    assert table(session, "vm_state", *ROW) == [
        (0, 0, 0, "tracepoints"), (4, 1, 1, "tracepoints"), (7, 2, 2, "tracepoints"),
        (8, 1, 1, "tracepoints"),
    ]  # fmt: skip


def test_events_of_one_time_are_one_row() -> None:
    session = derived(
        SLOT, entry(1), leave(2), probe("s2_map", 3, RAM, size=0x1000, prot=7),
        probe("s2_map", 3, RAM + MIB, size=0x1000, prot=7), probe("s2_unmap", 3, RAM, size=0x1000),
    )  # fmt: skip
    assert table(session, "vm_state", *ROW[:3]) == [(0, 0, 0), (3, 1, 1)]


def test_vm_that_ran_before_has_all_its_ram_mapped() -> None:
    events = (SLOT, entry(1), leave(2), entry(3), unmap(8, HVA, HVA + 0x3000))
    session = derived(*events, parameters=None)
    assert table(session, "vm_state", *ROW[:3]) == [(0, 2048, 2048), (8, 2045, 2045)]


def test_each_vm_has_its_own_pages_and_source() -> None:
    one, other = {"tgid": 5}, {"tgid": 6}
    first = host([SLOT | one, entry(1, 10, **one), leave(2, 10, **one)])
    second = host(
        [SLOT | other, entry(11, 20, **other), leave(12, 20, **other), fault(13, RAM, pid=20, **other),
         entry(14, 20, **other)],
        "second.dat",
    )  # fmt: skip
    session = whole_session([first, second], SessionOptions(parameters={"initial_stage2": "empty"}))
    found = table(session, "vm_state", "source", "vm", "time_ns", "mapped_pages")
    assert found == [(0, 0, 0, 0), (0, 1, 0, 0), (1, 1, 14, 1)]


def test_vm_without_probes_has_no_state_by_probes() -> None:
    session = derived(SLOT, entry(1), leave(2), fault(3, RAM), entry(4), stage2_from="probes")
    assert session.tables["vm_state"].num_rows == 0
    assert session.tables["refaults"].num_rows == 0


def test_tables_without_vcpu_threads_are_left_out() -> None:
    session = whole_session([host([event("sched_switch", 1)])], SessionOptions())
    assert "vm_state" not in session.tables
