"""The command line as tests call it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_traces"
CONSOLE_SCRIPT = [sys.executable, "-c", "from spetrace.cli.main import main; main()"]


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


def start(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Starts the command line in a process of its own, with pipes."""
    given: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": os.environ | {"PYTHONPATH": str(ROOT)},
    }
    return subprocess.Popen([*CONSOLE_SCRIPT, *map(str, words)], **given | options)
