"""Decoding ahead gives what decoding one after another gives, and its threads always end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.ingest.spe.ahead import iterated_ahead, mixed_ahead


def decode_threads() -> int:
    return sum(thread.name.startswith("decode") for thread in threading.enumerate())


def numbers(items: list[int]) -> Callable[[], Iterator[int]]:
    return partial(iter, items)


@settings(deadline=None, max_examples=40)
@given(
    sources=st.lists(st.lists(st.integers(0, 9), max_size=40), max_size=6),
    workers=st.sampled_from([None, 1, 2, 5]),
)
def test_items_come_source_after_source(sources: list[list[int]], workers: int | None) -> None:
    with iterated_ahead([numbers(items) for items in sources], workers) as iterators:
        assert [list(iterator) for iterator in iterators] == sources
    assert decode_threads() == 0


def test_sources_run_while_the_first_is_taken() -> None:
    met = threading.Barrier(2, timeout=10)

    def source() -> Iterator[int]:
        met.wait()
        yield 1

    with iterated_ahead([source, source], workers=2) as iterators:
        assert [list(iterator) for iterator in iterators] == [[1], [1]]


def test_what_waits_is_bounded() -> None:
    taken = count()

    def source() -> Iterator[int]:
        for _ in range(1000):
            yield next(taken)

    with iterated_ahead([source], workers=1) as (items,):
        assert next(items) == 0
        time.sleep(0.05)
        assert next(taken) < 50


@pytest.mark.parametrize("workers", [1, 3])
def test_leaving_early_ends_the_threads(workers: int) -> None:
    with iterated_ahead([count, count, count], workers) as iterators:
        assert next(iterators[0]) == 0
    assert decode_threads() == 0


def test_error_of_a_source_is_raised_when_its_turn_comes() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with iterated_ahead([numbers([0]), source, numbers([2])], workers=3) as iterators:
        assert list(iterators[0]) == [0]
        assert next(iterators[1]) == 1
        with pytest.raises(ValueError, match="broken"):
            next(iterators[1])
        assert list(iterators[2]) == [2]
    assert decode_threads() == 0


@settings(deadline=None, max_examples=40)
@given(
    sources=st.lists(st.lists(st.integers(0, 9), max_size=40), max_size=6),
    workers=st.sampled_from([None, 1, 2, 5]),
)
def test_items_as_they_come_are_in_order_source_by_source(
    sources: list[list[int]], workers: int | None
) -> None:
    taken: list[list[int]] = [[] for _ in sources]
    with mixed_ahead([numbers(items) for items in sources], workers) as items:
        for number, item in items:
            taken[number].append(item)
    assert taken == sources
    assert decode_threads() == 0


def test_no_source_waits_for_another_to_be_taken() -> None:
    with mixed_ahead([lambda: iter(range(1000))] * 2, workers=2) as items:
        assert len({number for _, (number, _) in zip(range(1200), items, strict=False)}) == 2


def test_leaving_what_comes_as_it_comes_ends_the_threads() -> None:
    with mixed_ahead([count, count], workers=2) as items:
        next(items)
    assert decode_threads() == 0


def test_what_a_source_raises_comes_as_it_comes() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise KeyError("no")

    with pytest.raises(KeyError), mixed_ahead([source]) as items:
        assert list(items) == [(0, 1)]


@pytest.mark.parametrize("ahead", ["iterated_ahead", "mixed_ahead"])
def test_a_block_that_is_never_left_does_not_keep_the_process(ahead: str) -> None:
    """As where a traceback holds a generator in whose middle an exception came."""
    script = f"""
from itertools import count
from spetrace.ingest.spe.ahead import {ahead}
kept = {ahead}([count, count], 2)
kept.__enter__()
print("entered")
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "entered\n", "")
