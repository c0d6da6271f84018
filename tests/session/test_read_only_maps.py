import pytest
from session_recordings import (
    BLOCK_WRITE,
    FETCH,
    PERMISSION_WRITE,
    READ,
    WRITE,
    event,
    host,
    of_kind,
    rows,
)
from stage2_traces import EMPTY, HVA, MIB, RAM, SLOT, entry, fault, leave, unmap

from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

BLOCK_READ = 0x92000006
BLOCK_PERMISSION_WRITE = 0x9200004E
DENIED = (fault(20, RAM, PERMISSION_WRITE), entry(21))


def session_of(*events, infer: bool | None = True):
    options = SessionOptions(
        assume_spe=AssumedSpe(), buffer_touched=False, parameters=EMPTY, infer_read_only=infer
    )
    return assemble([host([SLOT, entry(1), leave(2), *events])], options)


def maps(*events, **options):
    """(time, IPA, pages, writable) of the maps."""
    found = of_kind(session_of(*events, **options).events, "stage2_map")
    return rows(found, "ts", "ipa", "pages", "writable")


def test_read_that_a_write_is_denied_later_mapped_read_only() -> None:
    assert maps(fault(3, RAM, READ), entry(4), *DENIED) == [(4, RAM, 1, False), (21, RAM, 1, True)]


def test_without_the_choice_all_is_writable() -> None:
    away = (fault(5, RAM + 0x7000), entry(6))
    found = maps(fault(3, RAM, READ), entry(4), *away, *DENIED, infer=None)
    assert [row[3] for row in found] == [True, True, True]


def test_denied_write_that_comes_next_shows_that_the_read_has_mapped() -> None:
    events = (fault(3, RAM, READ), entry(4), *DENIED)
    assert [row[0] for row in maps(*events, infer=None)] == [21]
    assert [row[0] for row in maps(*events)] == [4, 21]


def test_fetch_and_walk_are_reads() -> None:
    walk_write = WRITE | 1 << 7
    for hsr in (FETCH, walk_write):
        assert maps(fault(3, RAM, hsr), entry(4), *DENIED)[0][3] is False


def test_write_maps_writable_whatever_follows() -> None:
    assert maps(fault(3, RAM), entry(4), *DENIED)[0][3] is True


@pytest.mark.parametrize(
    "between",
    [(unmap(10, HVA, HVA + 0x1000),), (fault(10, RAM, WRITE), entry(11))],
    ids=["unmap", "write"],
)
def test_what_comes_between_explains_the_denied_write(between) -> None:
    away = (fault(5, RAM + 0x7000), entry(6))
    found = maps(fault(3, RAM, READ), entry(4), *away, *between, *DENIED)
    assert found[0] == (4, RAM, 1, True)


def test_denied_write_of_another_page_says_nothing() -> None:
    assert maps(fault(3, RAM + 0x1000, READ), entry(4), *DENIED)[0][3] is True


def test_block_is_read_only_where_a_page_of_it_is_denied() -> None:
    denied = (fault(20, RAM + 0x5000, BLOCK_PERMISSION_WRITE), entry(21))
    found = maps(fault(3, RAM, BLOCK_READ), entry(4), *denied)
    assert found == [(4, RAM, 512, False), (21, RAM, 512, True)]


def retried(time: int, hsr: int, pid: int = 10, span: int = MIB):
    """A fault whose page is unmapped by `pid` meanwhile, and taken again."""
    return (
        fault(time, RAM, hsr), unmap(time + 1, HVA, HVA + span, pid), entry(time + 2),
        leave(time + 3), fault(time + 4, RAM, hsr), entry(time + 5),
    )  # fmt: skip


def test_read_taken_again_after_its_own_threads_unmap_maps_read_only() -> None:
    assert maps(*retried(3, READ)) == [(8, RAM, 1, False)]


def test_later_attempts_count_too() -> None:
    again = (leave(9), fault(10, RAM, READ), entry(11))
    assert maps(*retried(3, READ), *again) == [(11, RAM, 1, False)]


@pytest.mark.parametrize(
    "events",
    [retried(3, WRITE), retried(3, READ, pid=99), (*retried(3, BLOCK_WRITE),)],
    ids=["write", "other-thread", "block-write"],
)
def test_other_retries_map_writable(events) -> None:
    assert [row[3] for row in maps(*events)] == [True]


def test_unmap_of_another_page_by_the_thread_says_nothing() -> None:
    events = list(retried(3, READ))
    events[1] = unmap(4, HVA + MIB, HVA + 2 * MIB, 10)
    assert [row[3] for row in maps(*events)] == [True]


def test_attempt_long_ago_says_nothing_of_a_later_fault() -> None:
    other = (leave(9), fault(10, RAM + 0x3000, READ), entry(11), leave(12))
    later = (unmap(13, HVA, HVA + MIB), fault(14, RAM, READ), entry(15))
    found = maps(*retried(3, READ), *other, *later)
    assert [row[3] for row in found] == [False, True, True]


def test_report_says_how_stage_2_was_told() -> None:
    said = {(a.name, a.value): a.text for a in session_of(fault(3, RAM), entry(4)).assumptions}
    assert "is inferred from kvm_guest_fault" in said["stage2-from", "tracepoints"]
    assert "A read fault maps read-only" in said["infer-read-only", "yes"]
    plain = session_of(fault(3, RAM), entry(4), infer=None).assumptions
    assert ("infer-read-only", "no") in [(a.name, a.value) for a in plain]


def test_probes_need_no_inference() -> None:
    mapped = event("s2_map", 3, 10, pgt=7, ipa=RAM, size=0x1000, prot=7)
    names = [a.name for a in session_of(mapped, entry(4)).assumptions]
    assert not {"stage2-from", "infer-read-only", "vm.block_bytes"} & set(names)


def test_session_toml_may_ask_for_it(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("infer_read_only = true\n")
    options = SessionOptions(assume_spe=AssumedSpe(), session_toml=path, parameters=EMPTY)
    events = [SLOT, entry(1), leave(2), fault(3, RAM, READ), entry(4), *DENIED]
    found = of_kind(assemble([host(events)], options).events, "stage2_map")
    assert rows(found, "writable")[-2:] == [(False,), (True,)]
