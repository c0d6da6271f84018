"""The console script ends at once, with its output written and its exit code kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command import ROOT, SAMPLES

import spetrace

SCRIPT = [sys.executable, "-c", "from spetrace.cli.entry import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*SCRIPT, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--version"], 0), (["replay", "--no-such-option"], 2), (["info", "/no/such/file"], 3)],
)
def test_exit_code_is_kept(words: list[str], code: int) -> None:
    done = run(*words)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)


def test_all_output_is_written() -> None:
    done = run("dump", SAMPLES / "spe-neoverse-n1" / "spe.perf.data")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) > 1_000_000
    assert done.stdout.endswith("\n")
    assert run("--version").stdout == f"spetrace {spetrace.__version__}\n"


def test_a_reader_that_goes_is_no_error() -> None:
    dump = [*SCRIPT, "dump", str(SAMPLES / "spe-neoverse-n1" / "spe.perf.data")]
    with subprocess.Popen(
        dump, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
