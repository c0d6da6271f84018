"""Work beside the main thread ends with it, also when that fails."""

from __future__ import annotations

from concurrent.futures import CancelledError
from itertools import count
from threading import Event

import pytest

from spetrace.background import in_background, until


def test_result_is_there_after_the_work() -> None:
    with in_background(lambda _stop: 6 * 7) as future:
        assert future.result() == 42


def test_an_exception_of_the_main_thread_ends_the_work() -> None:
    seen: list[int] = []

    def endless(stop: Event) -> None:
        seen.extend(until(stop, count()))

    with pytest.raises(KeyError), in_background(endless) as future:
        raise KeyError
    assert isinstance(future.exception(), CancelledError)


def test_an_exception_of_the_work_comes_with_its_result() -> None:
    def fails(_stop: Event) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), in_background(fails) as future:
        future.result()
