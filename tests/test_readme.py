"""The README's commands run, its example's output is real, its files are valid."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from spetrace.cli.main import run
from spetrace.replay.strategies import STRATEGIES
from spetrace.session.session_toml import parse_session_toml

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def block(name: str) -> str:
    """The fenced block that follows the comment <!-- name -->."""
    start = README.index(f"<!-- {name} -->")
    match = FENCED.search(README, start)
    assert match
    return match["text"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's folder, and a screen of 100 columns."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")


def spetrace(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command line `spetrace …` prints; its exit code is 0."""
    program, *words = shlex.split(line, comments=True)
    assert program.endswith("spetrace")
    code = run(words)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


@pytest.mark.usefixtures("terminal")
def test_main_command_replays_the_bundled_trace(capsys: pytest.CaptureFixture[str]) -> None:
    setup, line = block("main command").rsplit(" && ", 1)
    assert setup == "python3 -m venv .venv && .venv/bin/pip install -q ."
    out = spetrace(line, capsys)
    for strategy in STRATEGIES:
        assert strategy.name in out


def test_test_command_is_the_one_that_ci_runs() -> None:
    assert block("test command") == (
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -q\n"
    )
    assert 'readme_command "test command"' in (ROOT / ".ci" / "run").read_text()


@pytest.mark.usefixtures("terminal")
def test_example_shows_the_real_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Each stretch of the example's lines is in the output, in this order; `[...]` stands for others."""
    command, _, shown = block("example").removeprefix("$ ").partition("\n")
    found = [line.rstrip() for line in spetrace(command, capsys).splitlines()]
    text = "\n".join([*found, ""])
    place = 0
    stretches = shown.split("[...]\n")
    assert sum(len(s.splitlines()) for s in stretches) > 20
    for stretch in stretches:
        assert stretch.strip("\n") in text[place:]
        place = text.index(stretch.strip("\n"), place)
    assert text.startswith(stretches[0])


@pytest.mark.usefixtures("terminal")
def test_strategy_of_the_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my_strategy.py"
    file.write_text(block("my_strategy.py"))
    line = block("my_strategy.py command").replace("my_strategy.py", str(file))
    out = spetrace(line, capsys)
    assert "map-ahead" in out
    assert "map-on-fault" in out


def test_event_log_of_the_readme_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = next(m["text"] for m in FENCED.finditer(README) if m["language"] == "json")
    (tmp_path / "events.jsonl").write_text(log)
    assert run(["replay", str(tmp_path / "events.jsonl"), "--format", "json"]) == 0
    assert '"irq_ns": 1000' in capsys.readouterr().out


def test_session_toml_of_the_readme_is_valid() -> None:
    session = parse_session_toml(block("session.toml"))
    assert session.vm[0].stream[0].file == "guest.perf.data"


@pytest.mark.usefixtures("terminal")
def test_event_map_of_the_readme_makes_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = block("map.toml command")
    (tmp_path / "map.toml").write_text(block("map.toml"))
    for name in ("host.txt", "guest.txt"):
        (tmp_path / name).write_text(block(f"map.toml {name}"))
    for name in ("host.txt", "guest.txt", "map.toml"):
        line = line.replace(f" {name}", f" {tmp_path / name}")
    out = json.loads(spetrace(f"{line.strip()} --format json", capsys))
    total = out["strategies"]["map-on-fault"]["total"]
    assert (total["records"], total["captured"]) == (2, 2)
    assert out["quality"] == []


def test_strategies_of_the_readme_are_all_there() -> None:
    table = README[README.index("### Strategies") : README.index("### Exit codes")]
    assert re.findall(r"^\| `([a-z0-9-]+)`", table, re.MULTILINE) == [s.name for s in STRATEGIES]


def test_commands_of_the_readme_exist(capsys: pytest.CaptureFixture[str]) -> None:
    commands = set(
        re.findall(r"spetrace (replay|info|ingest|recipe|strategies|schema|\w+) ", README)
    )
    known = {"replay", "info", "ingest", "costs", "align", "recipe", "strategies", "schema"}
    for command in commands & known:
        assert run([command, "--help"]) == 0
    capsys.readouterr()


def test_folder_map_of_the_readme_names_what_is_there() -> None:
    named = README[README.index(".ci/run  ") : README.index("tests/           mirrors")]
    below = named[named.index("spetrace/\n") :]
    modules = set(re.findall(r"[\w-]+\.py|^  (\w+)/", below, re.MULTILINE)) - {""}
    files = set(re.findall(r"(\w+\.py)", below))
    assert files == {p.name for p in (ROOT / "spetrace").glob("*.py")} - {"__init__.py"}
    folders = {p.name for p in (ROOT / "spetrace").iterdir() if p.is_dir()} - {"__pycache__"}
    assert modules == folders
