"""Records counted frame by frame: how many of each bin survive what, whatever the frames."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.fidelity import tally as tallies
from spetrace.fidelity.measure import Measure
from spetrace.fidelity.records import CountedRecords
from spetrace.fidelity.survival import EVERY, NOT_REPLAYED, Survival
from spetrace.fidelity.tally import Tallying
from spetrace.tables.results import OUTCOMES

ADDRESSES = st.none() | st.sampled_from([0, 1, 0x1000, 1 << 63, (1 << 64) - 1])
OWNERS = st.sampled_from([-2, -1, 5, (3 << 34) + 7])
MARKS = st.sets(st.sampled_from([1, 2, 15]))
CAPTURED = OUTCOMES.index("captured")
Entry = tuple[int | None, int, set[int]]


def add(tallying: Tallying, batch: list[Entry]) -> None:
    marks = {1, 2, 15} if batch else set()
    marked = [(m, np.flatnonzero([m in marks for *_, marks in batch])) for m in marks]
    tallying.add(
        np.array([address or 0 for address, *_ in batch], np.uint64),
        np.array([owner for _, owner, _ in batch], np.int64),
        np.array([address is not None for address, *_ in batch], bool),
        [(EVERY, None), *marked],
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.tuples(ADDRESSES, OWNERS, MARKS), max_size=12), max_size=5),
    st.sampled_from([0, 3, 1 << 20]),
)
def test_tally_counts_what_was_added(batches: list[list[Entry]], merged_from: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "_MERGED_FROM", merged_from)
        tallying = Tallying()
        for batch in batches:
            add(tallying, batch)
        tally = tallying.take()
    every = [entry for batch in batches for entry in batch if entry[0] is not None]
    pairs = list(zip(tally.values.tolist(), tally.owners.tolist(), strict=True))
    assert pairs == list(dict.fromkeys((address, owner) for address, owner, _ in every))
    want = Counter((a, owner, mark) for a, owner, marks in every for mark in {EVERY, *marks})
    groups = list(zip(*(column.tolist() for column in tally.groups), strict=True))
    assert {(*pairs[key], mark): count for key, mark, count in groups} == want
    assert len(groups) == len(want)
    assert tally.totals().tolist() == [want[(*pair, EVERY)] for pair in pairs]


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from([1, 2, 14, 33, 70]))
def test_marks_tell_what_does_not_survive(data: st.DataObject, strategies: int) -> None:
    outcome = st.sampled_from([CAPTURED, CAPTURED, CAPTURED + 1])
    one = st.lists(outcome, min_size=strategies, max_size=strategies)
    records = data.draw(st.lists(one, min_size=1))
    rows = data.draw(st.permutations(range(len(records) + 2)))[: len(records)]
    survival = Survival()
    cut = len(records) // 2
    for part in (slice(0, cut), slice(cut, None)):
        codes = np.array(records[part], np.uint8).reshape(-1, strategies).T
        survival.add(np.array(rows[part], np.uint64), {f"s{n}": c for n, c in enumerate(codes)})
    marks = survival.marks()
    every = range(len(records) + 3)
    found = {mark: every if at is None else at.tolist()
             for mark, at in marks.of(survival.of(0, len(every)))}  # fmt: skip
    assert list(found[EVERY]) == list(every)
    assert list(found[NOT_REPLAYED]) == sorted(set(every) - set(rows))
    for n in range(strategies):
        survivors = {r for r, own in zip(rows, records, strict=True) if own[n] == CAPTURED}
        assert list(found[marks.lost[f"s{n}"]]) == sorted(set(every) - survivors)
    assert survival.are_distinct(len(records) + 2)
    assert not survival.are_distinct(max(rows))


def test_row_that_is_there_twice_is_no_record_of_its_own() -> None:
    survival = Survival()
    for _ in range(2):
        survival.add(np.array([3, 4], np.uint64), {"s": np.zeros(2, np.uint8)})
    assert not survival.are_distinct(9)


def test_more_patterns_than_a_byte_has_numbers() -> None:
    survival = Survival()
    bits = np.arange(700)
    for rows in (bits[:200], bits[200:]):
        outcomes = {f"s{n}": (rows >> n & 1).astype(np.uint8) for n in range(10)}
        survival.add(rows.astype(np.uint64), outcomes)
    marks = survival.marks()
    found = dict(marks.of(survival.of(0, len(bits))))
    for n in range(10):
        lost = found[marks.lost[f"s{n}"]]
        assert lost is not None
        assert lost.tolist() == bits[bits >> n & 1 == 1].tolist()


def replayed(measure: Measure) -> np.ndarray:
    return measure.counts(EVERY) - measure.counts(NOT_REPLAYED)


def test_operations_sources_and_latencies_of_reordered_records() -> None:
    frame = pl.DataFrame(
        {
            "pc": [1, 2, 3, 4, None, 6],
            "operation_class": [1, 1, 2, 0, None, 3],
            "operation_payload": [0, 1, 0, 0, None, 0],
            "data_source": [8, None, None, None, 300, 8],
            "total_latency_cycles": [4, 3, 65535, None, 3, 4],
        },
        schema={
            "pc": pl.UInt64, "operation_class": pl.UInt8, "operation_payload": pl.UInt8,
            "data_source": pl.UInt16, "total_latency_cycles": pl.UInt16,
        },
    )  # fmt: skip
    for rows in ([0, 1, 2, 3, 4, 5], [5, 3, 1], [4]):
        survival = Survival()
        survival.add(np.array(rows, np.uint64), {"s": np.full(len(rows), CAPTURED, np.uint8)})
        counted = CountedRecords(survival)
        counted.add(frame[:2], pl.col("pc"), pl.lit(0, pl.Int64))
        counted.add(frame[2:], pl.col("pc"), pl.lit(0, pl.Int64))
        assert counted.records == 6
        assert counted.pcs.take().values.tolist() == [1, 2, 3, 4, 6]
        measures = {m.name: m for m in counted.measures()}
        picked = frame[rows]
        latency = measures["latency"]
        want = sorted(picked["total_latency_cycles"].drop_nulls().to_list())
        assert latency.values is not None
        assert np.repeat(latency.values, replayed(latency)).tolist() == want
        sources = picked["data_source"].drop_nulls()
        counts = replayed(measures["data_source"])
        assert sorted(counts[counts > 0]) == sorted(sources.value_counts()["count"])
        known = [r for r in rows if r < 4]
        assert measures["operation"].bins == 4
        found = sorted(replayed(measures["operation"]))
        assert found == [0] * (4 - len(known)) + [1] * len(known)
