"""Processes that tests need the numbers of."""

from __future__ import annotations

import subprocess


def ended_process() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid
