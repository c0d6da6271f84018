import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.kvm.durations import Durations
from spetrace.kvm.page_tally import PageTally
from spetrace.tables.kvm_summary import Times

lengths = st.lists(
    st.one_of(st.none(), st.integers(-5, 9), st.integers(-(2**40), 2**40)), max_size=80
)


def plain(values: list[int | None]) -> Times:
    known = sorted(v for v in values if v is not None)
    if not known:
        return Times()
    p50, p90, p99 = (known[-(-len(known) * q // 100) - 1] for q in (50, 90, 99))
    return Times(len(known), sum(known), p50, p90, p99, known[-1])


@settings(deadline=None, max_examples=150)
@given(lengths, st.integers(1, 9), st.integers(1, 20))
def test_durations_in_runs_are_those_of_all_sorted(values, batch: int, run_rows: int) -> None:
    durations = Durations(run_rows)
    for start in range(0, len(values), batch):
        durations.add(pl.Series(values[start : start + batch], dtype=pl.Int64))
    assert durations.times() == plain(values)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 9))
def test_pages_are_tallied(pages, batch: int) -> None:
    tally = PageTally()
    for start in range(0, len(pages), batch):
        tally.add(np.array(pages[start : start + batch], np.uint64))
        assert len(tally) == len(set(pages[: start + batch]))
    expected = sorted(set(pages), key=lambda page: (-pages.count(page), page))
    assert tally.most(3) == expected[:3]
