"""Work in a thread beside the main one, for parts that compute without Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def in_background(work: Callable[[Event], Result]) -> Iterator[Future[Result]]:
    """The result of `work`, to come; its thread ends with the block.

    `work` is given an event to look at: it is set when the block is left by an exception, and then
    nobody waits for a result any more.
    """
    stop = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="background") as pool:
        future = pool.submit(work, stop)
        try:
            yield future
        except BaseException:
            stop.set()
            raise


def until(stop: Event, items: Iterable[Item]) -> Iterator[Item]:
    """The items; CancelledError once `stop` is set."""
    for item in items:
        if stop.is_set():
            raise CancelledError
        yield item
