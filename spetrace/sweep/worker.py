"""A process that computes runs, one after another, for as long as there is somebody to send them."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from spetrace.errors import TraceError

if TYPE_CHECKING:
    from spetrace.sweep.execute import Entry


def work(pipe: Connection) -> None:
    """Answer each task on `pipe` with its entry or error, until the other end is closed.

    Ctrl-C reaches all processes of a terminal: the one that sends the tasks decides what comes of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # There are as many of these processes as cores: none needs threads of its own.
    os.environ["POLARS_MAX_THREADS"] = "1"
    from spetrace.sweep.execute import execute

    try:
        while True:
            task = pipe.recv()
            entry: Entry | None = None
            failure: TraceError | None = None
            try:
                entry = execute(task)
            except TraceError as error:
                failure = error
            pipe.send((entry, failure))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
