from session_recordings import FETCH, PERMISSION_WRITE, READ, event
from stage2_traces import HVA, RAM, SLOT, derived, entry, fault, leave, probe, table, unmap

ROW = ("vcpu", "ipa", "mapped_ns", "unmapped_ns", "fault_ns", "between_ns", "is_write", "is_fetch")
PAGE = (fault(3, RAM), entry(4))
AWAY = (fault(5, RAM + 0x7000), entry(6))
GONE = unmap(10, HVA, HVA + 0x1000)


def refaults(*events, **options):
    session = derived(SLOT, entry(1), leave(2), *events, **options)
    return table(session, "refaults", *ROW)


def test_page_that_was_unmapped_is_faulted_in_again() -> None:
    found = refaults(*PAGE, *AWAY, GONE, leave(19), fault(20, RAM, READ), entry(21))
    assert found == [(0, RAM, 4, 10, 20, 10, False, False)]


def test_row_names_its_fault_and_what_it_is_told_from() -> None:
    session = derived(SLOT, entry(1), *PAGE, *AWAY, GONE, fault(20, RAM, FETCH), entry(21))
    found = table(session, "refaults", "guest_fault", "cause", "is_fetch", "stage2_from", "vm")
    assert found == [(2, "unknown", True, "tracepoints", 0)]


def test_first_fault_on_a_page_is_none() -> None:
    assert refaults(GONE, fault(20, RAM), entry(21)) == []


def test_fault_on_a_mapped_page_is_none() -> None:
    assert refaults(*PAGE, *AWAY, GONE, fault(20, RAM + 0x7000), entry(21)) == []
    assert refaults(*PAGE, *AWAY, GONE, fault(20, RAM, PERMISSION_WRITE), entry(21)) == []


def test_emulated_access_is_none() -> None:
    mmio = (fault(20, RAM), event("kvm_mmio", 20), entry(21))
    assert refaults(*PAGE, *AWAY, GONE, *mmio) == []


def test_fault_taken_again_counts_once_at_its_first_attempt() -> None:
    again = (fault(20, RAM), entry(21), leave(22), fault(23, RAM), entry(24))
    assert [row[4] for row in refaults(*PAGE, *AWAY, GONE, *again)] == [20]


def test_each_vcpu_that_waits_counts() -> None:
    other = {"pid": 11, "comm": "kvm-vcpu-1"}
    found = refaults(
        entry(2, **other), *PAGE, *AWAY, GONE, fault(20, RAM), fault(21, RAM, **other), entry(22),
        entry(23, **other),
    )  # fmt: skip
    assert [(row[0], row[4]) for row in found] == [(0, 20), (1, 21)]


def test_unmap_of_an_unmapped_page_changes_nothing() -> None:
    found = refaults(*PAGE, *AWAY, GONE, unmap(12, HVA, HVA + 0x1000), fault(20, RAM), entry(21))
    assert [row[3] for row in found] == [10]


def test_page_counts_again_after_each_unmap() -> None:
    back = (fault(20, RAM), entry(21), fault(22, RAM + 0x7000), entry(23))
    found = refaults(
        *PAGE, *AWAY, GONE, *back, unmap(30, HVA, HVA + 0x2000), fault(40, RAM), entry(41)
    )
    assert [(row[2], row[3], row[5]) for row in found] == [(4, 10, 10), (21, 30, 10)]


def test_page_mapped_before_the_recording_has_no_time_of_its_map() -> None:
    found = refaults(entry(4), GONE, fault(20, RAM), entry(21), parameters=None)
    assert [row[2:5] for row in found] == [(None, 10, 20)]


def test_probes_tell_blocks() -> None:
    block = probe("s2_map", 3, RAM, size=0x20_0000, prot=7)
    found = refaults(
        block, entry(4), probe("s2_unmap", 10, RAM, pid=99, size=0x20_0000),
        fault(20, RAM + 0x5000), entry(21), fault(22, RAM + 0x6000), entry(23),
    )  # fmt: skip
    assert [(row[1], row[2], row[5]) for row in found] == [
        (RAM + 0x5000, 3, 10),
        (RAM + 0x6000, 3, 12),
    ]
