import pytest
from session_recordings import (
    BLOCK_WRITE,
    PERMISSION_READ,
    PERMISSION_WRITE,
    READ,
    WRITE,
    event,
    host,
    of_kind,
    rows,
)

from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

MIB = 1 << 20
RAM = 0x8000_0000
HVA = 0x7F00_0000_0000
SLOT = event("memslot", 0, pid=9, slot=0, flags=0, gpa=RAM, size=8 * MIB, hva=HVA)


def entry(time: int, pid: int = 10, **fields):
    return event("kvm_entry", time, pid, **fields)


def leave(time: int, pid: int = 10, **fields):
    return event("kvm_exit", time, pid, **fields)


def fault(time: int, ipa: int, hsr: int = WRITE, pid: int = 10, **fields):
    return event("kvm_guest_fault", time, pid, hsr=hsr, ipa=ipa, hxfar=0, **fields)


def unmap(time: int, first: int, end: int):
    return event("kvm_unmap_hva_range", time, 99, start=first, end=end)


def stage2(*events, toml: str | None = None, tmp_path=None, **options):
    """(time, kind, ipa, pages) of all stage-2 events."""
    if toml is not None:
        path = tmp_path / "session.toml"
        path.write_text(toml)
        options["session_toml"] = path
    options = {"assume_spe": AssumedSpe(), "buffer_touched": False} | options
    session = assemble([host(list(events))], SessionOptions(**options))
    found = of_kind(session.events, "stage2_map", "stage2_unmap")
    return rows(found, "ts", "kind", "ipa", "pages"), session


def maps(*events, **options):
    return [(f[0], f[2], f[3]) for f in stage2(*events, **options)[0] if f[1] == "stage2_map"]


def test_level_3_fault_maps_its_page_at_the_next_entry() -> None:
    found, session = stage2(SLOT, entry(1), leave(2), fault(3, RAM + 0x5000), entry(9))
    assert found == [(9, "stage2_map", RAM + 0x5000, 1)]
    assert rows(of_kind(session.events, "stage2_map"), "writable", "row") == [(True, 0)]


@pytest.mark.parametrize("name", ["kvm_mmio", "kvm_mmio_emulate", "kvm_mmio_nisv"])
def test_emulated_access_maps_nothing(name: str) -> None:
    assert maps(SLOT, entry(1), fault(3, RAM), event(name, 4), entry(9)) == []


def test_emulation_after_the_next_entry_is_of_another_exit() -> None:
    assert len(maps(SLOT, entry(1), fault(3, RAM), entry(9), event("kvm_mmio", 10), entry(11))) == 1


def test_fault_without_a_later_entry_maps_nothing() -> None:
    assert maps(SLOT, entry(1), fault(3, RAM)) == []


def test_fault_that_is_taken_again_maps_once() -> None:
    found = maps(SLOT, entry(1), fault(3, RAM), entry(4), leave(5), fault(6, RAM), entry(7))
    assert found == [(7, RAM, 1)]


def test_same_page_after_another_fault_maps_twice() -> None:
    again = (fault(3, RAM), entry(4), fault(5, RAM + 4096), entry(6), fault(7, RAM), entry(8))
    assert [f[0] for f in maps(SLOT, entry(1), *again)] == [4, 6, 8]


def test_same_page_faulted_by_another_vcpu_maps_for_both() -> None:
    other = {"pid": 11, "comm": "kvm-vcpu-1"}
    found = maps(
        SLOT, entry(1), entry(2, **other), fault(3, RAM), fault(4, RAM, **other), entry(5), entry(6, **other),
    )  # fmt: skip
    assert [f[0] for f in found] == [5, 6]


def test_permission_fault_of_a_write_maps_its_page() -> None:
    assert maps(SLOT, entry(1), fault(3, RAM, PERMISSION_WRITE), entry(4)) == [(4, RAM, 1)]


def test_permission_fault_of_a_read_maps_nothing() -> None:
    assert maps(SLOT, entry(1), fault(3, RAM, PERMISSION_READ), entry(4)) == []


def test_access_flag_fault_maps_nothing() -> None:
    assert maps(SLOT, entry(1), fault(3, RAM, 0x9200000B), entry(4)) == []


def test_block_fault_maps_the_range_of_its_last_level_table() -> None:
    found = maps(SLOT, entry(1), fault(3, RAM + 3 * MIB, BLOCK_WRITE), entry(4))
    assert found == [(4, RAM + 2 * MIB, 512)]


@pytest.mark.parametrize(("page_size", "block"), [(16384, 32 * MIB), (65536, 512 * MIB)])
def test_block_is_as_large_as_a_last_level_table(page_size: int, block: int) -> None:
    slot = SLOT | {"size": 1 << 30}
    found = maps(
        slot, entry(1), fault(3, RAM, BLOCK_WRITE), entry(4),
        parameters={"page_size": page_size},
    )  # fmt: skip
    assert found == [(4, RAM, block // page_size)]


def test_block_ends_with_its_memslot() -> None:
    slot = SLOT | {"gpa": RAM + 0x10000, "size": 0x20000}
    found = maps(slot, entry(1), fault(3, RAM + 0x11000, BLOCK_WRITE), entry(4))
    assert found == [(4, RAM + 0x10000, 32)]


def test_block_with_a_later_page_fault_is_one_page() -> None:
    found = maps(
        SLOT, entry(1), fault(3, RAM + MIB, BLOCK_WRITE), entry(4), fault(5, RAM + 0x3000), entry(6)
    )
    assert found == [(4, RAM + MIB, 1), (6, RAM + 0x3000, 1)]


def test_block_unmapped_before_a_later_page_fault_stays_a_block() -> None:
    found = maps(
        SLOT, entry(1), fault(3, RAM, BLOCK_WRITE), entry(4),
        unmap(5, HVA + MIB, HVA + MIB + 4096), fault(6, RAM + 0x3000), entry(7),
    )  # fmt: skip
    assert found == [(4, RAM, 512), (7, RAM + 0x3000, 1)]


def test_unmap_of_another_range_does_not_keep_the_block() -> None:
    found = maps(
        SLOT, entry(1), fault(3, RAM, BLOCK_WRITE), entry(4),
        unmap(5, HVA + 2 * MIB, HVA + 3 * MIB), fault(6, RAM + 0x3000), entry(7),
    )  # fmt: skip
    assert found[0] == (4, RAM, 1)


def test_page_fault_before_the_block_fault_does_not_count() -> None:
    found = maps(
        SLOT, entry(1), fault(3, RAM + 0x3000, READ), entry(4), fault(5, RAM, BLOCK_WRITE), entry(6)
    )
    assert found == [(4, RAM + 0x3000, 1), (6, RAM, 512)]


def test_block_bytes_of_session_toml_override(tmp_path) -> None:
    events = (
        SLOT,
        entry(1),
        fault(3, RAM + 5 * MIB, BLOCK_WRITE),
        entry(4),
        fault(5, RAM + 5 * MIB + 4096),
        entry(6),
    )
    found = maps(*events, toml="[[vm]]\nblock_bytes = 4194304\n", tmp_path=tmp_path)
    assert found[0] == (4, RAM + 4 * MIB, 1024)


def test_notifier_unmaps_what_memslots_place() -> None:
    found, session = stage2(SLOT, entry(1), unmap(5, HVA - MIB, HVA + 0x2001), unmap(6, 0, HVA))
    assert found == [(5, "stage2_unmap", RAM, 3)]
    assert rows(of_kind(session.events, "stage2_unmap"), "cause", "row") == [("unknown", 0)]


def test_notifier_over_two_memslots_unmaps_both() -> None:
    other = SLOT | {"slot": 1, "gpa": 0x1000_0000, "size": MIB, "hva": HVA + 8 * MIB}
    found, _ = stage2(SLOT, other, entry(1), unmap(5, HVA + 8 * MIB - 4096, HVA + 8 * MIB + 4096))
    assert [f[2:] for f in found] == [(RAM + 8 * MIB - 4096, 1), (0x1000_0000, 1)]


def test_notifier_before_the_memslot_unmaps_nothing() -> None:
    found, session = stage2(entry(1), unmap(2, HVA, HVA + MIB), SLOT | {"time_ns": 3}, entry(4))
    assert found == []
    assert "unplaced_unmaps" not in dict(session.quality)[None].counts


def test_notifiers_of_a_vm_without_memslots_are_a_counted_loss() -> None:
    found, session = stage2(entry(1), unmap(2, HVA, HVA + MIB), unmap(3, HVA, HVA + MIB))
    assert found == []
    assert dict(session.quality)[None].counts["unplaced_unmaps"] == 2


def test_set_spte_unmaps_its_page() -> None:
    changed = event("kvm_set_spte_hva", 5, 99, hva=HVA + 0x3010)
    assert stage2(SLOT, entry(1), changed)[0] == [(5, "stage2_unmap", RAM + 0x3000, 1)]


def test_aging_changes_nothing_and_is_an_assumption() -> None:
    aged = event("kvm_age_hva", 5, 99, start=HVA, end=HVA + MIB)
    found, session = stage2(SLOT, entry(1), aged)
    assert found == []
    assert "access flag by hardware" in [a.value for a in session.assumptions]


def test_deleted_memslot_loses_its_pages_and_places_no_more_unmaps() -> None:
    gone = SLOT | {"time_ns": 4, "size": 0}
    found, _ = stage2(SLOT, entry(1), gone, unmap(5, HVA, HVA + MIB))
    assert found == [(4, "stage2_unmap", RAM, 2048)]


def test_flags_of_a_memslot_may_change_without_an_unmap() -> None:
    logged = SLOT | {"time_ns": 4, "flags": 1}
    found, _ = stage2(SLOT, entry(1), logged, unmap(5, HVA, HVA + 4096))
    assert found == [(5, "stage2_unmap", RAM, 1)]


def test_notifier_hits_each_vm_whose_memslots_hold_the_address() -> None:
    one, other = {"tgid": 5}, {"tgid": 6}
    _found, session = stage2(
        SLOT | one, SLOT | other | {"gpa": 0x4000_0000},
        entry(1, 10, **one), entry(2, 20, **other), unmap(5, HVA, HVA + 4096),
    )  # fmt: skip
    assert rows(of_kind(session.events, "stage2_unmap"), "vm", "ipa") == [
        (0, RAM),
        (1, 0x4000_0000),
    ]
    assert ("vm.memslot", "all VMs") in [(a.name, a.value) for a in session.assumptions]


def test_events_of_one_time_keep_the_recorded_order() -> None:
    found, _ = stage2(
        SLOT,
        entry(1),
        fault(3, RAM),
        unmap(4, HVA, HVA + 4096),
        entry(4),
        unmap(4, HVA, HVA + 4096),
    )
    assert [f[1] for f in found] == ["stage2_unmap", "stage2_map", "stage2_unmap"]
