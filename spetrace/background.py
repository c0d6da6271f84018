"""Work in a thread beside the main one, for parts that compute without Python's lock."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Submit = Callable[[Callable[[], Any]], Future[Any]]
"""Has a thread do some work when one is free, and gives its result to come."""
_Job = tuple[Future[Any], Callable[[], Any]]


@contextmanager
def daemon_threads(count: int, name: str) -> Iterator[Submit]:
    """Threads that do what they are given in its order, and are waited for at the block's end.

    Unlike those of a ThreadPoolExecutor they don't keep the process from ending: an exception's
    traceback can hold a generator in such a block, and then nobody takes what its threads bring.
    Nothing may wait for them where `sys.is_finalizing()`: they stand still by then.
    """
    jobs: SimpleQueue[_Job | None] = SimpleQueue()
    threads = [Thread(target=_work, args=(jobs,), name=name, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()

    def submit(work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        jobs.put((future, work))
        return future

    try:
        yield submit
    finally:
        for _ in threads:
            jobs.put(None)
        if not sys.is_finalizing():
            for thread in threads:
                thread.join()


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    """Do the jobs up to None; nothing of one is held while waiting for the next."""
    while _is_done(jobs.get()):
        pass


def _is_done(job: _Job | None) -> bool:
    if job is None:
        return False
    future, work = job
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
    return True


@contextmanager
def in_background(work: Callable[[Event], Result]) -> Iterator[Future[Result]]:
    """The result of `work`, to come; its thread ends with the block.

    `work` is given an event to look at: it is set when the block is left by an exception, and then
    nobody waits for a result any more.
    """
    stop = Event()
    with daemon_threads(1, "background") as submit:
        future = submit(partial(work, stop))
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
