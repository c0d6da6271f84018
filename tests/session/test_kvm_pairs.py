"""Exits, entries and faults that belong together: across host CPUs, and where events were lost."""

import pytest
from session_recordings import WRITE, event
from stage2_traces import RAM, derived, entry, fault, leave, table

EXIT = ("vcpu", "exit_ns", "entry_ns", "handled_ns", "guest_fault")


def exits(*events):
    return table(derived(*events), "kvm_exits", *EXIT)


def test_vcpu_that_moves_between_host_cpus_keeps_its_pairs() -> None:
    other = {"pid": 11, "comm": "kvm-vcpu-1"}
    found = exits(
        entry(1, cpu=0), entry(2, cpu=1, **other), leave(3, cpu=0), leave(4, cpu=1, **other),
        entry(6, cpu=0, **other), entry(9, cpu=1), leave(10, cpu=1),
    )  # fmt: skip
    assert found == [
        (0, 3, 9, 6, None), (1, 4, 6, 2, None), (0, 10, None, None, None),
    ]  # fmt: skip


def test_lost_entry_leaves_its_exit_alone() -> None:
    found = exits(entry(1), leave(2), leave(5), entry(6))
    assert found == [(0, 2, None, None, None), (0, 5, 6, 1, None)]


def test_lost_exit_is_not_made_up() -> None:
    assert exits(entry(1), leave(2), entry(3), entry(8)) == [(0, 2, 3, 1, None)]


def test_fault_whose_exit_was_lost_belongs_to_none() -> None:
    events = (entry(1), leave(2), entry(3), fault(7, RAM), entry(8))
    assert exits(*events) == [(0, 2, 3, 1, None)]
    assert table(derived(*events), "stage2_faults", "time_ns", "handled_ns") == [(7, None)]


def test_fault_whose_entry_was_lost_has_no_handling_time() -> None:
    events = (entry(1), leave(2), fault(3, RAM), leave(6), entry(9))
    assert exits(*events) == [(0, 2, None, None, 0), (0, 6, 9, 3, None)]
    assert table(derived(*events), "stage2_faults", "handled_ns") == [(None,)]


@pytest.mark.parametrize(
    ("bits", "told"), [(0, False), (1 << 8, True)], ids=["write", "maintenance"]
)
def test_cache_maintenance_is_told_from_writes(bits: int, told: bool) -> None:
    session = derived(entry(1), leave(2), fault(3, RAM, WRITE | bits), entry(4))
    found = table(session, "stage2_faults", "is_write", "is_cache_maintenance")
    assert found == [(True, told)]


def test_emulated_access_is_told_from_a_fault_taken_again() -> None:
    session = derived(
        entry(1), leave(2), fault(3, RAM), event("kvm_mmio", 4), entry(5),
        leave(6), fault(7, RAM + 0x1000), entry(8), leave(9), fault(10, RAM + 0x1000), entry(11),
    )  # fmt: skip
    found = table(session, "stage2_faults", "mmio", "is_emulated")
    assert found == [(True, True), (True, False), (False, False)]
