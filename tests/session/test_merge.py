import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import merged, rows

from spetrace.session.event_run import (
    ERET,
    PMBPTR_EL1,
    SPE_RECORD,
    STAGE1_MAP,
    STAGE2_MAP,
    STAGE2_UNMAP,
    STAGE2_WRPROTECT,
    UNKNOWN_CAUSE,
    event_run,
)
from spetrace.session.merge_kernel import merged_order
from spetrace.tables.events import EVENTS


def test_each_kind_fills_its_own_columns() -> None:
    run = event_run(
        np.arange(7),
        [PMBPTR_EL1, ERET, SPE_RECORD, STAGE1_MAP, STAGE2_MAP, STAGE2_WRPROTECT, STAGE2_UNMAP],
        vm=3,
        vcpu=4,
        value=[9, 0, 64, 0, 1, 0, UNKNOWN_CAUSE],
        va=100,
        ipa=200,
        pages=5,
        row=[2**64 - 1, 2**64 - 1, 7, 1, 1, 1, 1],
    )
    table = merged([run])
    assert table.schema.equals(EVENTS.schema)
    common = ("ts", "vm", "vcpu", "kind", "row")
    own = [
        {k: v for k, v in e.items() if v is not None and k not in common} for e in table.to_pylist()
    ]
    assert own == [
        {"reg": "PMBPTR_EL1", "value": 9},
        {"to_el": 0},
        {"bytes": 64},
        {"va": 100, "ipa": 200, "pages": 5},
        {"ipa": 200, "pages": 5, "writable": True},
        {"ipa": 200, "pages": 5},
        {"ipa": 200, "pages": 5, "cause": "unknown"},
    ]
    assert rows(table, "row")[:3] == [(None,), (None,), (7,)]
    assert rows(table, "vm", "vcpu")[0] == (3, 4)


def test_no_events_are_an_empty_table() -> None:
    table = merged([event_run([], 0)])
    assert table.num_rows == 0
    assert table.schema.equals(EVENTS.schema)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.integers(0, 30), max_size=40), min_size=1, max_size=4), st.integers(1, 200)
)
def test_events_are_ordered_by_time_then_run_then_as_made(times, chunk: int) -> None:
    runs = [
        event_run(np.array(t, np.int64), SPE_RECORD, vcpu=number, row=np.arange(len(t)))
        for number, t in enumerate(times)
    ]
    made = [(t, number, i) for number, own in enumerate(times) for i, t in enumerate(own)]
    table = merged(runs, chunk)
    table.validate(full=True)
    assert rows(table, "ts", "vcpu", "row") == sorted(made)


def test_large_logs_come_in_chunks_that_share_their_nulls() -> None:
    run = event_run(np.arange(1000), SPE_RECORD, value=64)
    table = merged([run], 100)
    assert table["ts"].num_chunks > 5
    first = {table[name].chunk(0).buffers()[1].address for name in ("value", "va", "ipa", "pages")}
    assert len(first) == 1
    assert table["row"].null_count == 1000


@pytest.mark.parametrize("offset", [0, 5, -5])
def test_shifted_run(offset: int) -> None:
    assert event_run([1, 2], ERET).shifted(offset).ts.tolist() == [1 + offset, 2 + offset]


def test_dictionaries_are_the_same_in_all_chunks() -> None:
    table = merged([event_run(np.arange(1000), [SPE_RECORD, ERET] * 500)], 100)
    assert isinstance(table.unify_dictionaries(), pa.Table)
    assert len({str(chunk.dictionary) for chunk in table["kind"].chunks}) == 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(-3, 3), min_size=1, max_size=20).map(sorted), min_size=1))
def test_sorted_runs_are_merged_stably(runs: list[list[int]]) -> None:
    times = np.array([time for run in runs for time in run], np.int64)
    bounds = np.cumsum([0, *map(len, runs)])
    assert merged_order(times, bounds).tolist() == np.argsort(times, kind="stable").tolist()
