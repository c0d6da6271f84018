"""Where the console script begins: Ctrl-C is one sentence while the commands are imported, too."""

from __future__ import annotations

import sys


def main() -> None:
    """Import the commands and run the command line; exits as `spetrace.cli.main.main` does."""
    try:
        from spetrace.cli.main import main as run_command_line
    except KeyboardInterrupt:
        print("spetrace: interrupted", file=sys.stderr)
        sys.exit(130)
    run_command_line()
