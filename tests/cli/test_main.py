"""What every command shares: help, errors as one sentence, exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command import ROOT, SAMPLES, Command, start

from spetrace import __version__
from spetrace.cli import main
from spetrace.errors import InputError, NothingToReplayError, OutputError, UsageError

COMMANDS = ("replay", "info", "ingest", "recipe", "strategies", "schema")
LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


def test_version(spetrace: Command) -> None:
    assert spetrace("--version").out == f"spetrace {__version__}\n"


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_lists_the_commands(spetrace: Command, words: tuple[str, ...]) -> None:
    result = spetrace(*words)
    assert result.code == 0
    for command in COMMANDS:
        assert command in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example(spetrace: Command, command: str) -> None:
    result = spetrace(command, "--help")
    assert result.code == 0
    assert "Example" in result.out
    assert f"spetrace {command}" in result.out


@pytest.mark.parametrize("words", [["--help"], ["replay", "--help"], ["recipe"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from spetrace.cli.main import run; run(sys.argv[1:]);"
        "print([m for m in ('numba', 'numpy', 'polars', 'pyarrow', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["replay"],
        ["replay", "x", "--bogus"],
        ["replay", "x", "--memory-bytes", "much"],
        ["replay", "x", "--format", "xml"],
        ["replay", "x", "--keep-ns", "1s"],
        ["replay", "x", "--cost", "irq_ns"],
        ["replay", "x", "--assume-spe", "period=5"],
        ["replay", "x", "--outcomes"],
        ["replay", "x", "--strategy", "hope"],
        ["replay", LOG, "--page-size", "5000"],
        ["replay", LOG, "--cost", "lunch_ns=5"],
        ["replay", LOG, "--pin-refuses", "boredom"],
        ["ingest", "x"],
        ["strategies", "hope"],
        ["schema", "furniture"],
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_wrong_usage_is_one_sentence_and_code_2(spetrace: Command, words: list[str]) -> None:
    result = spetrace(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("spetrace: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("header", "is odd", offset=4, file="a.dat"), 3),
        (OutputError("out: can't be written"), 3),
        (UsageError("costs: no"), 2),
        (NothingToReplayError("nothing\nat all"), 4),
        (MemoryError(), 3),
        (OSError(28, "No space left on device", "out"), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("division by zero"), 70),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_is_one_sentence(
    spetrace: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)
    result = spetrace("replay", "x")
    assert result.code == code
    assert result.err.startswith("spetrace: ")
    assert result.err.count("\n") == 1


def test_missing_file_is_named(spetrace: Command, tmp_path: Path) -> None:
    for command in (["replay"], ["info"], ["ingest", "-o", tmp_path / "out"]):
        result = spetrace(*command, tmp_path / "missing.dat")
        assert result.code == 3
        assert str(tmp_path / "missing.dat") in result.err
    assert list(tmp_path.iterdir()) == []


def test_full_disk_behind_stdout_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full, start("recipe", stdout=full) as child:
        _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (3, "spetrace: No space left on device\n")


def test_reader_that_goes_away_is_no_error() -> None:
    with start("schema", "events") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_leaves_nothing(tmp_path: Path, number: int, code: int) -> None:
    strategy = tmp_path / "interrupted.py"
    strategy.write_text(
        "import os\n"
        "from spetrace.replay.strategy import Strategy\n"
        "class Interrupted(Strategy):\n"
        "    name = 'interrupted'\n"
        f"    def on_vm_start(self, vm): os.kill(os.getpid(), {number})\n"
    )
    output = tmp_path / "new" / "results"
    with start("replay", LOG, "-o", output, "--strategy-file", strategy) as child:
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["interrupted.py"]
