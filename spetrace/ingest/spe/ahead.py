"""Decoding ahead: several streams at a time, in threads, handed on in their order or as they come.

The kernel and most of numpy work without Python's lock, so streams are decoded side by side, and
while whoever takes the batches is at work on the last one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, Queue
from threading import Event
from typing import Generic, TypeVar

from spetrace.background import daemon_threads

_MOST_WORKERS = 8
"""More streams at a time than whoever takes the batches could follow."""
_WAITING_BATCHES = 16
"""Batches that may wait in the queues of all threads: about half a million rows."""
_LOOK_SECONDS = 0.02

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
    with daemon_threads(workers, "decode") as submit:
        running = [submit(one.run) for one in ahead]
        try:
            yield [one.take(future) for one, future in zip(ahead, running, strict=True)]
        finally:
            stop.set()
            for one, future in zip(ahead, running, strict=True):
                if not sys.is_finalizing():
                    one.discard(future)


@contextmanager
def mixed_ahead(
    sources: Sequence[Callable[[], Iterator[Item]]], workers: int | None = None
) -> Iterator[Iterator[tuple[int, Item]]]:
    """The items of all sources, each with its source's number, as threads bring them.

    Those of one source come in their order. Threads, what they may have ready, and what a source
    raises are as `iterated_ahead` has them.
    """
    workers = max(1, min(workers or os.cpu_count() or 1, _MOST_WORKERS, len(sources)))
    stop = Event()
    queue: Queue[tuple[int, Item] | None] = Queue(_WAITING_BATCHES)
    waiting = iter(enumerate(sources))
    with daemon_threads(workers, "decode") as submit:
        running = [submit(partial(_bring, waiting, queue, stop)) for _ in range(workers)]
        try:
            yield _taken(queue, running)
        finally:
            stop.set()
            while not (sys.is_finalizing() or all(future.done() for future in running)):
                with suppress(Empty):
                    queue.get(timeout=_LOOK_SECONDS)


def _bring(
    waiting: Iterator[tuple[int, Callable[[], Iterator[Item]]]],
    queue: Queue[tuple[int, Item] | None],
    stop: Event,
) -> None:
    """Put the items of one source after another, until none is waiting; then None."""
    try:
        for number, source in waiting:
            for item in source():
                if stop.is_set():
                    return
                queue.put((number, item))
    finally:
        queue.put(None)


def _taken(
    queue: Queue[tuple[int, Item] | None], running: Sequence[Future[None]]
) -> Iterator[tuple[int, Item]]:
    ended = 0
    while ended < len(running):
        item = queue.get()
        if item is None:
            ended += 1
        else:
            yield item
    for future in running:
        future.result()


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
