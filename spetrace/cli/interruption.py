"""Ctrl-C and SIGTERM: a command that is ended early undoes what is half done, and says so."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from spetrace.errors import TraceError

EXIT_INTERRUPTED: Final = 128 + signal.SIGINT
EXIT_TERMINATED: Final = 128 + signal.SIGTERM


class CommandInterruptedError(TraceError):
    """A command that a signal ended; its text is what it left, as far as that was noted."""

    def __init__(self, error: BaseException, exit_code: int) -> None:
        super().__init__("; ".join(["interrupted", *getattr(error, "__notes__", ())]))
        self.exit_code = exit_code


def handle_signals() -> None:
    """Make both signals exceptions, so that half-written output is removed on the way out.

    A signal that comes while one is on its way out changes nothing: the clean-up is not to be
    interrupted. Where Ctrl-C is ignored (nohup), it stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)


def ignore_signals() -> None:
    """Let both signals change nothing any more: the command is done, and its exit code stands."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, which raises CommandInterruptedError where a signal ends it.

    Typer makes an exit code of KeyboardInterrupt, and what is noted on it would be lost.
    """

    @functools.wraps(command)
    def interrupted(**given: Any) -> Any:
        """The command, with what was given to it."""
        try:
            return command(**given)
        except KeyboardInterrupt as error:
            raise CommandInterruptedError(error, EXIT_INTERRUPTED) from None
        except SystemExit as error:
            if error.code != EXIT_TERMINATED:
                raise
            raise CommandInterruptedError(error, EXIT_TERMINATED) from None

    return interrupted


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    if not _is_on_its_way_out():
        raise KeyboardInterrupt


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    if not _is_on_its_way_out():
        raise SystemExit(EXIT_TERMINATED)


def _is_on_its_way_out() -> bool:
    """Whether code runs for the sake of such an exception: polars raises its own one, too."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return True
        error = error.__context__
    return False
