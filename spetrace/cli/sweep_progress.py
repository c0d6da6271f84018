"""The progress of a sweep: a bar on a terminal, a line now and then elsewhere; both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from spetrace.cli.console import Step

Count = Callable[[int, int], None]
"""Takes how many of how many runs are done."""

_LINE_EVERY_S: Final = 30.0


@contextmanager
def sweep_progress() -> Iterator[tuple[Step, Count]]:
    """What shows the steps of a sweep, and what shows its runs."""
    if sys.stderr.isatty():
        with _bars() as shown:
            yield shown
    else:
        yield (lambda _name: lambda _done: None), _Lines().count


@contextmanager
def _bars() -> Iterator[tuple[Step, Count]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, rate="")
        rate = _Rate()

        def step(name: str) -> Callable[[float], None]:
            bars.reset(task, description=name, total=None, rate="")
            return lambda _done: None

        def count(done: int, whole: int) -> None:
            bars.update(task, total=whole, completed=done, rate=rate.text(done))

        yield step, count


class _Rate:
    """Runs per second since the first count."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._per_second = 0.0

    def text(self, done: int) -> str:
        """The rate so far, in words; begins anew at 0."""
        if not done:
            self._start = time.monotonic()
            return ""
        self._per_second = done / max(time.monotonic() - self._start, 1e-9)
        return f"{self._per_second:.3g} runs/s"

    def left(self, done: int, whole: int) -> str:
        """The time that the rest will take, in words."""
        return f"{(whole - done) / self._per_second:.0f} s left" if done else ""


class _Lines:
    """A line at most each half minute."""

    def __init__(self) -> None:
        self._rate = _Rate()
        self._next = time.monotonic() + _LINE_EVERY_S

    def count(self, done: int, whole: int) -> None:
        """Print the line that is due."""
        rate = self._rate.text(done)
        if done and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY_S
            left = self._rate.left(done, whole)
            print(f"{done:,} of {whole:,} runs, {rate}, {left}", file=sys.stderr, flush=True)
