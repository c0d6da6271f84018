import pytest
from session_recordings import event, host, of_kind, rows

from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

MIB = 1 << 20
RAM = 0x8000_0000


def stage2(events, **options):
    """(time, kind, ipa, pages, writable) of all stage-2 events; no buffer is mapped."""
    options = {"assume_spe": AssumedSpe(), "buffer_touched": False} | options
    session = assemble([host(events)], SessionOptions(**options))
    found = of_kind(session.events, "stage2_map", "stage2_unmap", "stage2_wrprotect")
    return rows(found, "ts", "kind", "ipa", "pages", "writable"), session


def entry(time: int = 1, pid: int = 10, **fields):
    return event("kvm_entry", time, pid, **fields)


def probe(name: str, time: int, ipa: int, size: int = 4096, pid: int = 10, **fields):
    size_field = {} if name == "s2_relax" else {"size": size}
    return event(name, time, pid, **({"pgt": 1, "ipa": ipa} | size_field | fields))


def test_probes_become_events_in_whole_pages() -> None:
    found, _ = stage2(
        [
            entry(),
            probe("s2_map", 10, RAM + 0x1800, 0x1000, prot=6),
            probe("s2_wp", 20, RAM, 0x2000),
            probe("s2_unmap", 30, 0x1234, 1),
            probe("s2_relax", 40, RAM + 0x5010, prot=6),
        ]
    )
    assert found == [
        (10, "stage2_map", RAM + 0x1000, 2, True),
        (20, "stage2_wrprotect", RAM, 2, None),
        (30, "stage2_unmap", 0x1000, 1, None),
        (40, "stage2_map", RAM + 0x5000, 1, True),
    ]


def test_map_is_writable_by_bit_1_of_prot_or_where_prot_is_unknown() -> None:
    found, _ = stage2(
        [
            entry(),
            probe("s2_map", 2, RAM, prot=5),
            probe("s2_map", 3, RAM),
            probe("s2_relax", 4, RAM, prot=5),
        ]
    )
    assert [f[4] for f in found] == [False, True]


def test_unmap_has_cause_unknown() -> None:
    _, session = stage2([entry(), probe("s2_map", 2, RAM), probe("s2_unmap", 3, RAM)])
    assert rows(of_kind(session.events, "stage2_unmap"), "cause") == [("unknown",)]


def test_page_size_rounds_to_larger_pages() -> None:
    found, _ = stage2([entry(), probe("s2_map", 2, RAM + 0x5000)], parameters={"page_size": 16384})
    assert found[0][2:4] == (RAM + 0x4000, 1)


def test_pgt_names_the_vm_also_for_its_events_before() -> None:
    events = [
        entry(1, 10, tgid=5),
        entry(2, 20, tgid=6),
        probe("s2_unmap", 3, RAM, pgt=22, pid=99),
        probe("s2_map", 4, RAM, pgt=11, pid=10),
        probe("s2_map", 5, RAM, pgt=22, pid=20),
        probe("s2_map", 6, RAM + 4096, pgt=22, pid=10),
    ]
    _, session = stage2(events)
    found = rows(of_kind(session.events, "stage2_map", "stage2_unmap"), "ts", "vm")
    assert found == [(3, 1), (4, 0), (5, 1), (6, 1)]


def test_pgt_that_no_vcpu_maps_into_is_counted_and_left_out() -> None:
    found, session = stage2(
        [
            entry(),
            probe("s2_map", 2, RAM),
            probe("s2_map", 3, RAM, pgt=9, pid=77),
            probe("s2_unmap", 4, RAM, pgt=9),
        ]
    )
    assert len(found) == 1
    assert dict(session.quality)[None].counts["unknown_pgt_events"] == 2


@pytest.mark.parametrize(
    ("page_size", "table"), [(4096, 2 * MIB), (16384, 32 * MIB), (65536, 512 * MIB)]
)
def test_notifiers_map_fails_where_no_table_stands(page_size: int, table: int) -> None:
    far = RAM + table
    found, session = stage2(
        [
            entry(),
            probe("s2_map", 2, far - page_size),
            probe("s2_map", 3, far, page_size, pid=99),
            probe("s2_map", 4, RAM, page_size, pid=99),
        ],
        parameters={"page_size": page_size, "initial_stage2": "empty", "memory_bytes": 1 << 30},
    )
    assert [f[0] for f in found] == [2, 4]
    assert dict(session.quality)[None].counts == {"set_spte_without_table": 1}


def test_notifiers_map_fails_after_the_last_page_was_unmapped() -> None:
    events = [
        entry(),
        probe("s2_map", 2, RAM),
        probe("s2_unmap", 3, RAM, 1 << 30),
        probe("s2_map", 4, RAM + 4096, pid=99),
        probe("s2_map", 5, RAM + 8192, pid=99),
    ]
    found, _ = stage2(events, parameters={"initial_stage2": "empty"})
    assert [f[0] for f in found] == [2, 3]


def test_notifiers_map_of_a_vm_that_ran_before_finds_its_tables() -> None:
    events = [entry(), probe("s2_map", 2, RAM + (1 << 29)), probe("s2_map", 4, RAM, pid=99)]
    found, _ = stage2(events, parameters={"initial_stage2": "all"})
    assert [f[0] for f in found] == [2, 4]


def test_vm_with_a_pgt_uses_only_the_probes() -> None:
    events = [
        entry(),
        event("memslot", 2, slot=0, flags=0, gpa=RAM, size=MIB, hva=0x7000_0000),
        probe("s2_map", 3, RAM),
        event("kvm_unmap_hva_range", 4, start=0x7000_0000, end=0x7000_1000),
    ]
    assert [f[0] for f in stage2(events)[0]] == [3]
    assert [f[0] for f in stage2(events, stage2_from="tracepoints")[0]] == [4]


def test_vm_without_a_pgt_has_no_stage2_from_probes_alone() -> None:
    events = [
        entry(),
        event("memslot", 2, slot=0, flags=0, gpa=RAM, size=MIB, hva=0x7000_0000),
        event("kvm_unmap_hva_range", 4, start=0x7000_0000, end=0x7000_1000),
    ]
    assert stage2(events, stage2_from="probes")[0] == []


def test_rows_are_those_of_the_tracepoint() -> None:
    _, session = stage2([entry(), probe("s2_map", 2, RAM), probe("s2_map", 3, RAM)])
    assert rows(of_kind(session.events, "stage2_map"), "row") == [(0,), (1,)]
