"""Runs on the cores of this machine: processes that each wait at a pipe of their own.

Processes are spawned: those that polars, pyarrow or numba have given threads must not be forked. A
pipe has no third end, so when the one process that hands out tasks is killed all others end too.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from spetrace.errors import TraceError
from spetrace.sweep.execute import Entry, Task
from spetrace.sweep.worker import work

_TRIES: Final = 2
_SECONDS_TO_END: Final = 5


class WorkerLostError(TraceError):
    """A worker died in a run, and another one in the same run."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None


def run_local(tasks: Sequence[Task], jobs: int) -> Generator[Entry, None, None]:
    """Compute all tasks by `jobs` processes; their entries as they come.

    A task whose process dies is given to another one, once. Raises what a task raised, and
    WorkerLostError. When the iterator is closed, or fails, the processes end.
    """
    waiting = list(reversed(tasks))
    died: dict[str, int] = {}
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.task for worker in workers):
            while waiting and len(workers) < jobs:
                workers.append(_start())
                _give(workers[-1], waiting)
            ready = wait([worker.pipe for worker in workers if worker.task])
            for worker in [worker for worker in workers if worker.pipe in ready]:
                entry = _answer(worker)
                if entry is None:
                    workers.remove(worker)
                    waiting.append(_again(worker, died))
                    continue
                worker.task = None
                _give(worker, waiting)
                yield entry
    finally:
        _end(workers)


def _start() -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), daemon=True)
    # Ctrl-C reaches all processes of a terminal: the new one must not be told before it can say so.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    theirs.close()
    return _Worker(process, ours)


def _give(worker: _Worker, waiting: list[Task]) -> None:
    if waiting:
        worker.task = waiting.pop()
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.pipe.send(worker.task)


def _answer(worker: _Worker) -> Entry | None:
    """The entry of a worker's task; None where the worker died."""
    try:
        entry, failure = worker.pipe.recv()
    except (EOFError, OSError):
        return None
    if failure is not None:
        raise failure
    found: Entry = entry
    return found


def _again(worker: _Worker, died: dict[str, int]) -> Task:
    worker.process.join(_SECONDS_TO_END)
    worker.pipe.close()
    task = worker.task
    assert task is not None
    died[task.run.run_id] = died.get(task.run.run_id, 0) + 1
    if died[task.run.run_id] == _TRIES:
        code = worker.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        raise WorkerLostError(
            f"run {task.run.run_id} ({task.run.capture}): {_TRIES} processes that computed it ended "
            f"{how}; if memory is short, give fewer --jobs"
        )
    return task


def _end(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_SECONDS_TO_END)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
