"""A few steps that signals are not to come between."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM do what they do after the block; only the main thread gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    own = {number: handler for number, handler in before.items() if handler is not None}
    try:
        for number in own:
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        for late in came[:1]:
            os.kill(os.getpid(), late)
