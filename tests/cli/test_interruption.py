"""Ctrl-C and SIGTERM, as a process gets them: one line, its exit code, nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from cli.command import ROOT, SAMPLES

KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
SIGNALLED = """
    import os, signal, sys, threading, time
    {patch}
    from spetrace.cli.entry import main
    sys.argv = ["spetrace", *sys.argv[1:]]
    main()
"""
"""The command line, with a patch that sends itself signals."""


def run(patch: str, *words: str | Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    """The command line with Ctrl-C as a terminal's foreground process has it."""
    code = textwrap.dedent(SIGNALLED).format(patch=textwrap.dedent(patch))
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def at(place: str, number: str = "SIGINT", times: int = 1) -> str:
    """Sends the process signals, from another thread, when `place` (module:function) is called."""
    module, _, name = place.partition(":")
    return f"""
import importlib
module = importlib.import_module("{module}")
_function = module.{name}
def signalled(*words, **given):
    def send():
        for _ in range({times}):
            os.kill(os.getpid(), signal.{number})
            time.sleep(0.02)
    threading.Thread(target=send).start()
    time.sleep(0.2)
    return _function(*words, **given)
module.{name} = signalled
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Where a command writes, and its temporary folder."""
    made = tmp_path / "out", tmp_path / "temporary"
    for folder in made:
        folder.mkdir()
    return made


READING = "spetrace.workflow.pipeline:read_recording"
COMMANDS = {
    "replay": (READING, "replay", SPE, "--initial-stage2", "all", "-o", "OUT/results"),
    "ingest": (READING, "ingest", SPE, "-o", "OUT/session"),
    "info": (READING, "info", SPE),
    "dump": ("spetrace.ingest.importer:read_recording", "dump", SPE),
    "profile": ("spetrace.workflow.profile_inputs:read_recording", "profile", SPE, "-o", "OUT/p"),
    "kvm": (READING, "kvm", KVM, "-o", "OUT/kvm"),
    "costs": (READING, "costs", KVM),
    "align": (READING, "align", KVM, SPE, "--write", "OUT/session.toml"),
    "sweep": (READING, "sweep", KVM, "--assume-spe", "-o", "OUT/sweep"),
    "recipe": ("spetrace.cli.recipe:show", "recipe"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_ends_with_one_line(name: str, places: tuple[Path, Path]) -> None:
    output, temporary = places
    place, *words = COMMANDS[name]
    given = [str(word).replace("OUT", str(output)) for word in words]
    done = run(at(place), *given, temporary=temporary)
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("spetrace: interrupted")
    assert done.stderr.count("\n") == 1
    assert list(temporary.iterdir()) == []
    kept = {"sweep"} if name == "sweep" else set()
    assert {path.name for path in output.iterdir()} == kept
    assert list(output.rglob("*.part")) == []


@pytest.mark.parametrize(
    ("place", "number", "code"),
    [
        ("spetrace.workflow.session_folder:write_batches", "SIGINT", 130),
        ("spetrace.workflow.session_folder:_write_events", "SIGINT", 130),
        ("spetrace.workflow.pipeline:write_description", "SIGTERM", 143),
    ],
)
def test_writers_in_threads_leave_nothing(
    places: tuple[Path, Path], place: str, number: str, code: int
) -> None:
    """However often the key is pressed: the clean-up goes on."""
    output, temporary = places
    session = output / "session"
    done = run(at(place, number, 5), "ingest", SPE, "-o", session, temporary=temporary)
    sentence = f"spetrace: interrupted; nothing was written to {session}\n"
    assert (done.returncode, done.stderr) == (code, sentence)
    assert list(output.iterdir()) == list(temporary.iterdir()) == []


def test_interruption_while_files_move_comes_after_all_have_moved(
    places: tuple[Path, Path],
) -> None:
    output, temporary = places
    session = output / "session"
    assert run("", "ingest", KVM, "-o", session, temporary=temporary).returncode == 0
    patch = at("spetrace.workflow.output_folder:_publish")
    done = run(patch, "ingest", SPE, "-o", session, temporary=temporary)
    assert (done.returncode, done.stderr) == (130, "spetrace: interrupted\n")
    names = {path.name for path in session.iterdir()}
    assert {"session.json", "spe_records.parquet"} <= names
    assert not names & {"tracepoints", "kvm_exits.parquet"}
    assert not [name for name in names if name.startswith(".")]


def test_interruption_of_the_imports_is_one_line(places: tuple[Path, Path]) -> None:
    patch = """
    class Slow:
        def find_spec(self, name, *_):
            if name == "spetrace.cli.main":
                os.kill(os.getpid(), signal.SIGINT)
    sys.meta_path.insert(0, Slow())
    """
    done = run(patch, "info", SPE, temporary=places[1])
    assert (done.returncode, done.stderr) == (130, "spetrace: interrupted\n")


def test_ignored_interrupt_stays_ignored(places: tuple[Path, Path]) -> None:
    patch = "signal.signal(signal.SIGINT, signal.SIG_IGN)" + at(READING)
    done = run(patch, "info", SPE, temporary=places[1])
    assert (done.returncode, done.stderr) == (0, "")
