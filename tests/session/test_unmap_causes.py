"""What unmaps were for: by the events around them, and by whose thread it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import event, host
from stage2_traces import HVA, RAM, SLOT, derived, entry, fault, probe, table, unmap

from spetrace.session.clocks import HostClock
from spetrace.session.host_names import S2_UNMAP, UNMAP_HVA
from spetrace.session.host_trace import HostTrace, host_trace
from spetrace.session.unmap_causes import SET_MIGRATION, UnmapCauses
from spetrace.tables.events import CAUSES

PAGE = 0x1000
MAPPED = (SLOT, entry(1), fault(3, RAM), entry(4), fault(5, RAM + 0x7000), entry(6))
AGAIN = (fault(20, RAM), entry(21))


def by(comm: str) -> dict:
    """A notifier in a thread of that name."""
    return unmap(10, HVA, HVA + PAGE) | {"comm": comm}


def migrates(time: int, hva: int = HVA, pid: int = 99) -> dict:
    return event(SET_MIGRATION, time, pid, addr=hva, pte=0, order=0)


def causes(*events: dict) -> list[str]:
    return [row[0] for row in table(derived(*MAPPED, *events, *AGAIN), "refaults", "cause")]


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([unmap(10, HVA, HVA + PAGE)], "unknown"),
        ([unmap(10, HVA, HVA + PAGE), migrates(11)], "migrate"),
        ([unmap(10, HVA, HVA + PAGE), migrates(11, HVA + PAGE)], "unknown"),
        ([unmap(10, HVA, HVA + PAGE), migrates(11, pid=98)], "unknown"),
        ([migrates(9), unmap(10, HVA, HVA + PAGE)], "unknown"),
        (
            [unmap(10, HVA, HVA + PAGE), unmap(11, 0x5000, 0x6000), migrates(12)],
            "unknown",
        ),
        ([by("ksmd")], "ksm"),
        ([by("kswapd0")], "swap"),
        ([by("kcompactd1"), migrates(11)], "compact"),
        ([by("kswapd0"), migrates(11)], "migrate"),
        ([by("my-ksmd")], "unknown"),
    ],
)
def test_cause_of_a_notifier(events: list[dict], cause: str) -> None:
    assert causes(*events) == [cause]


def test_memslot_that_goes_away_is_a_cause() -> None:
    gone = event("memslot", 10, pid=9, slot=0, flags=0, gpa=RAM, size=0, hva=HVA)
    back = SLOT | {"time_ns": 12}
    assert causes(gone, back) == ["memslot"]


def test_cause_of_an_unmap_by_the_probe_is_that_of_its_notifier() -> None:
    probed = (
        probe("s2_map", 3, RAM, size=PAGE, prot=7), entry(4), unmap(9, HVA, HVA + PAGE),
        probe("s2_unmap", 10, RAM, pid=99, size=PAGE), migrates(11), *AGAIN,
    )  # fmt: skip
    found = table(derived(*probed), "refaults", "cause", "stage2_from")
    assert found == [("migrate", "probes")]


class Cut:
    """A host's trace that gives its events in stretches of the orders between some cuts."""

    def __init__(self, trace: HostTrace, cuts: list[int]) -> None:
        self._trace, self._cuts = trace, sorted(cuts)
        self.columns = trace.columns

    def __getitem__(self, name: str):
        return self._trace[name]

    def stretches(self, names: tuple[str, ...]) -> Iterator[dict[str, pl.DataFrame]]:
        (whole,) = self._trace.stretches(names)
        for low, high in zip([-1, *self._cuts], [*self._cuts, 1 << 40], strict=True):
            here = pl.col("order").is_between(low, high, closed="right")
            yield {name: frame.filter(here) for name, frame in whole.items()}


STEP = st.tuples(
    st.sampled_from([UNMAP_HVA, S2_UNMAP, SET_MIGRATION]), st.integers(1, 2), st.integers(0, 2)
)


def plain(steps: list[tuple[str, int, int]]) -> list[int]:
    """The causes of notifiers and probed unmaps in order, one event after the other."""
    found: list[str] = []
    open_: dict[int, tuple[int, list[int]]] = {}
    for name, pid, page in steps:
        if name == SET_MIGRATION:
            here, members = open_.get(pid, (-1, []))
            for member in members if here == page else ():
                found[member] = "migrate"
            continue
        if name == UNMAP_HVA:
            open_[pid] = page, []
        if pid in open_:
            open_[pid][1].append(len(found))
        found.append("unknown")
    return [CAUSES.index(cause) for cause in found]


@settings(deadline=None, max_examples=100)
@given(st.lists(STEP, max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_any_stretches_give_what_a_plain_walk_does(
    steps: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    fields = {
        UNMAP_HVA: lambda page: {"start": page * PAGE, "end": (page + 1) * PAGE},
        S2_UNMAP: lambda page: {"pgt": 1, "ipa": page * PAGE, "size": PAGE},
        SET_MIGRATION: lambda page: {"addr": page * PAGE},
    }
    events = [event(n, t, pid, **fields[n](page)) for t, (n, pid, page) in enumerate(steps)]
    trace = host_trace([host([*events, entry(100)])], {0: HostClock("local")})
    order = np.array([t for t, step in enumerate(steps) if step[0] != SET_MIGRATION], np.int64)
    assert UnmapCauses(Cut(trace, cuts)).at(order).tolist() == plain(steps)
