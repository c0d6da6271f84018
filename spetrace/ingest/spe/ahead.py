"""Decoding ahead: several streams at a time, in threads, each handed on when its turn comes.

The kernel and most of numpy work without Python's lock, so streams are decoded side by side, and
while whoever takes the batches is at work on the last one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from threading import Event
from typing import Generic, TypeVar

_MOST_WORKERS = 8
"""More streams at a time than whoever takes the batches could follow."""
_WAITING_BATCHES = 16
"""Batches that may wait in the queues of all threads: about half a million rows."""

Item = TypeVar("Item")


@contextmanager
def iterated_ahead(
    sources: Sequence[Callable[[], Iterator[Item]]], workers: int | None = None
) -> Iterator[list[Iterator[Item]]]:
    """An iterator over the items of each source, which a thread of its own fills ahead.

    They are to be taken in their order. At most `workers` threads run (by default as many as CPUs, 8
    at most), and what they may have ready is bounded. What a source raises, its iterator raises. The end of
    the block ends the threads.
    """
    workers = max(1, min(workers or os.cpu_count() or 1, _MOST_WORKERS, len(sources)))
    stop = Event()
    ahead = [_Ahead(source, max(2, _WAITING_BATCHES // workers), stop) for source in sources]
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        running = [pool.submit(one.run) for one in ahead]
        try:
            yield [one.take(future) for one, future in zip(ahead, running, strict=True)]
        finally:
            stop.set()
            for one, future in zip(ahead, running, strict=True):
                one.discard(future)


class _Ahead(Generic[Item]):
    """One source's items on their way from its thread to the consumer; None ends them."""

    def __init__(self, source: Callable[[], Iterator[Item]], size: int, stop: Event) -> None:
        self._source = source
        self._queue: Queue[Item | None] = Queue(size)
        self._stop = stop
        self._is_empty = False

    def run(self) -> None:
        """Put all items, until the consumer wants no more."""
        try:
            for item in self._source():
                if self._stop.is_set():
                    return
                self._queue.put(item)
        finally:
            self._queue.put(None)

    def take(self, future: Future[None]) -> Iterator[Item]:
        """The items, as the thread of `future` puts them."""
        while (item := self._queue.get()) is not None:
            yield item
        self._is_empty = True
        future.result()

    def discard(self, future: Future[None]) -> None:
        """Keep the thread of `future` from beginning, or take what it still puts, so that it ends."""
        if not future.cancel():
            while not self._is_empty:
                self._is_empty = self._queue.get() is None
