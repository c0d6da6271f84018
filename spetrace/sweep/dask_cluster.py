"""Runs on a dask.distributed cluster: the one place that knows dask."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from spetrace.errors import TraceError, UsageError
from spetrace.sweep.execute import Entry, Task, execute
from spetrace.sweep.local import WorkerLostError

_AHEAD: Final = 4
"""Tasks handed to the scheduler per thread of the cluster, so that none waits for the next."""
_RETRIES: Final = 3
_SECONDS_TO_CONNECT: Final = 30


@contextmanager
def cluster(
    scheduler: str,
) -> Iterator[Callable[[Sequence[Task]], Generator[Entry, None, None]]]:
    """What computes tasks by the workers of the cluster at `scheduler`, until the block ends.

    Raises UsageError where there is no dask or no such scheduler.
    """
    client = _connect(scheduler)
    try:
        yield partial(compute_with, client)
    finally:
        client.close()


def _connect(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--scheduler needs dask: pip install 'spetrace[cluster]'") from error
    try:
        return Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_SECONDS_TO_CONNECT, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"--scheduler {scheduler}: can't be reached: {error}") from error


def compute_with(client: Any, tasks: Sequence[Task]) -> Generator[Entry, None, None]:
    """Compute all tasks by the workers of a `distributed.Client`; their entries as they come.

    No more tasks are with the scheduler than keep its workers busy; those are cancelled when the
    iterator is closed. A task whose worker dies goes to another one. Raises what a task raised, and
    WorkerLostError where one task ends its workers.
    """
    from distributed import as_completed

    waiting = iter(tasks)
    pending: Any = as_completed(loop=client.loop)  # type: ignore[no-untyped-call]
    futures: set[Any] = set()

    # Of two tasks with one key the scheduler takes the first: a sweep of other strategies, say.
    own = uuid.uuid4().hex

    def submit(count: int) -> None:
        """Hand the next `count` tasks to the cluster."""
        for _, task in zip(range(count), waiting, strict=False):
            key = f"spetrace-{task.run.run_id}-{own}"
            future = client.submit(execute, task, key=key, pure=False, retries=_RETRIES)
            futures.add(future)
            pending.add(future)

    threads = sum(client.nthreads().values())
    submit(max(threads, 1) * _AHEAD)
    try:
        for future in pending:
            futures.discard(future)
            yield _entry(future)
            submit(1)
    finally:
        client.cancel(list(futures))


def _entry(future: Any) -> Entry:
    from distributed import KilledWorker

    try:
        entry: Entry = future.result()
    except TraceError:
        raise
    except KilledWorker as error:
        raise WorkerLostError(f"workers of the cluster died in one run: {error}") from error
    return entry
