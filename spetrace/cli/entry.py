"""Where the console script begins and ends.

Ctrl-C is one sentence while the commands are imported, too. And once a command is done the process ends
at once: to take apart what a command leaves in memory takes a third of a second after an ingest, and
all that was to be written is written by then.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Import the commands and run the command line; exits as `spetrace.cli.main.main` does."""
    try:
        from spetrace.cli.main import main as run_command_line
    except KeyboardInterrupt:
        print("spetrace: interrupted", file=sys.stderr)
        sys.exit(130)
    try:
        run_command_line()
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 0)
    _leave(0)


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
