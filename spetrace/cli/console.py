"""What commands share: text to stdout, progress bars to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

Step = Callable[[str], Callable[[float], None]]
"""Begins a named step; what it returns takes the step's progress, from 0 to 1."""

_DELAY_S = 1.0


def show(text: str) -> None:
    """Write `text` to stdout; a reader that has gone (`spetrace … | head`) ends the command."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at exit: let that go nowhere instead of failing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def show_drawn(drawing: RenderableType) -> None:
    """Write rich's drawing of it to stdout, without spaces at the ends of lines."""
    from rich.console import Console

    console = Console()
    with console.capture() as drawn:
        console.print(drawing)
    show("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def text_width() -> int | None:
    """Columns of the terminal (or as COLUMNS says); None where stdout is a file or a pipe."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return None


def show_json(value: Any) -> None:
    """Write `value` to stdout as indented JSON."""
    import json

    show(json.dumps(value, indent=2))


@contextmanager
def progress() -> Iterator[Step]:
    """Progress bars on stderr for what takes over a second; none where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _name: lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    bars = Progress(console=Console(stderr=True), transient=True)
    timer = threading.Timer(_DELAY_S, bars.start)
    timer.daemon = True

    def step(name: str) -> Callable[[float], None]:
        for task in bars.task_ids:
            bars.remove_task(task)
        task = bars.add_task(name, total=None)
        return lambda done: bars.update(task, total=1.0, completed=done)

    timer.start()
    try:
        yield step
    finally:
        timer.cancel()
        bars.stop()
