"""Rows that are sorted and grouped a few at a time are as if all were in memory."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_chunks import small_chunks

from spetrace.session.event_run import event_run
from spetrace.session.host_events import HostRun
from spetrace.session.ordered_rows import in_order, is_rising, side_by_side
from spetrace.session.vm_rows import VmRows, places_of

ROW = np.dtype([("order", np.int64), ("n", np.uint32)])
places = st.lists(st.one_of(st.integers(0, 9), st.integers(0, 2**40)), max_size=60)


@settings(deadline=None, max_examples=100)
@given(places, st.integers(1, 9))
def test_rows_come_in_order_those_of_one_place_as_given(orders, chunk: int) -> None:
    rows = np.array(list(zip(orders, range(len(orders)), strict=True)), ROW)
    with small_chunks(chunk):
        found = in_order(rows.copy())
        assert is_rising(found["order"])
    assert (found == rows[np.argsort(rows["order"], kind="stable")]).all()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([0, 1, 1, 7]), max_size=60), st.integers(1, 9), st.booleans())
def test_each_vm_has_its_rows(vms, chunk: int, backwards: bool) -> None:
    column = np.array(vms, np.uint16)
    with small_chunks(chunk):
        by_vm = VmRows(column)
        for vm in range(9):
            parts = [places_of(rows) for rows in by_vm.of(vm, backwards=backwards)]
            assert all(len(part) <= chunk for part in parts)
            ordered = reversed(parts) if backwards else parts
            found = [int(row) for part in ordered for row in part]
            assert found == np.flatnonzero(column == vm).tolist()


def run(orders: list[int]) -> HostRun:
    return HostRun(np.array(orders, np.int64), event_run(orders, 0))


rising = st.lists(st.integers(0, 50), max_size=30, unique=True).map(sorted)


@settings(deadline=None, max_examples=100)
@given(rising, rising, st.integers(1, 7), st.integers(1, 7))
def test_two_tables_side_by_side(these, others, a: int, b: int) -> None:
    one = (run(these[n : n + a]) for n in range(0, len(these), a))
    two = (run(others[n : n + b]) for n in range(0, len(others), b))
    seen: tuple[list[int], list[int]] = ([], [])
    last = -1
    for parts in side_by_side(one, two):
        orders = [[int(t) for part in own for t in part.order] for own in parts]
        both = [*orders[0], *orders[1]]
        assert both
        assert min(both) > last
        last = max(both)
        seen[0].extend(orders[0])
        seen[1].extend(orders[1])
    assert seen == (these, others)
