from __future__ import annotations

import json
import multiprocessing
import os
import signal
import struct
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cli.command import Command
from sweeps import COUNTING_STRATEGY, EVENT_LOG, GUEST, journal_of, request, rows_of

from spetrace.cli.sweep_progress import sweep_progress
from spetrace.session.options import SessionOptions
from spetrace.sweep.execute import Entry, RunFailedError, Task, execute
from spetrace.sweep.local import WorkerLostError, _answer, _Worker, run_local
from spetrace.tables.sweep import RUNS
from spetrace.workflow.pipeline import replay_files
from spetrace.workflow.sweeping import plan_sweep, run_sweep


def compute(tasks: Sequence[Task]) -> Generator[Entry, None, None]:
    """All in this process."""
    yield from map(execute, tasks)


def test_rows_are_those_of_replays_with_the_same_parameters(tmp_path: Path) -> None:
    grid = {"costs.vm_exit_ns": [1, 50_000], "memlock_bytes": [4096, None]}
    run_sweep(request(grid), tmp_path / "s", compute=compute)
    rows = rows_of(tmp_path / "s").to_pylist()
    assert len(rows) == 4 * 3 * 2
    for costs, memlock in ((1, 4096), (50_000, None)):
        given = {"costs": {"vm_exit_ns": costs}, "memlock_bytes": memlock}
        expected = replay_files(
            [EVENT_LOG], SessionOptions(parameters=given), strategies="map-on-fault"
        ).results.to_pylist()
        own = [r for r in rows if (r["vm_exit_ns"], r["memlock_bytes"]) == (costs, memlock)]
        assert [{name: row[name] for name in expected[0]} for row in own] == expected
        assert {row["capture"] for row in own} == {"log"}


def test_dataset_is_a_published_table_with_its_version(tmp_path: Path) -> None:
    run_sweep(request({}), tmp_path / "s", compute=compute)
    schema = pq.read_schema(tmp_path / "s" / "runs.parquet")
    assert schema.metadata[b"spetrace.table"] == b"runs"
    assert schema.names == RUNS.names


def test_several_captures_are_told_apart(tmp_path: Path) -> None:
    asked = request({"page_size": [4096]}, captures=[*request({}).captures, GUEST])
    run_sweep(asked, tmp_path / "s", compute=compute)
    rows = rows_of(tmp_path / "s").to_pylist()
    assert [row["capture"] for row in rows[:: len(rows) - 1]] == ["log", "guest"]
    facts = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert [len(capture["inputs"]) for capture in facts["captures"]] == [1, 2]


def test_done_sweep_computes_nothing_and_a_larger_one_what_it_adds(tmp_path: Path) -> None:
    computed: list[Task] = []

    def noting(tasks: Sequence[Task]) -> Generator[Entry, None, None]:
        computed.extend(tasks)
        return compute(tasks)

    folder = tmp_path / "s"
    for costs, names, added in (
        ([1, 2], "map-on-fault", 2),
        ([1, 2], "map-on-fault", 0),
        ([1, 2, 3], "map-on-fault", 1),
        ([2], "map-on-fault,pin-vm", 1),
    ):
        computed.clear()
        run_sweep(request({"costs.irq_ns": costs}, strategies=names), folder, compute=noting)
        assert len(computed) == added
        assert set(rows_of(folder)["irq_ns"].to_pylist()) == set(costs)
    assert computed[0].strategies == ("pin-vm",), "only the one that the run lacked"
    assert len(rows_of(folder)) == 4 * 2


def test_progress_tells_how_many_of_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("spetrace.cli.sweep_progress._LINE_EVERY_S", 0.0)
    with sweep_progress() as (step, count):
        asked = request({"costs.irq_ns": [1, 2, 3]})
        run_sweep(asked, tmp_path / "s", compute=compute, step=step, progress=count)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"{n} of 3 runs" for n in (1, 2, 3)]
    assert all("runs/s" in line and line.endswith("s left") for line in lines)


def test_strategy_that_changed_is_computed_anew_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    monkeypatch.setenv("SECONDS", "0")
    file = tmp_path / "counting.py"
    for text, runs in ((COUNTING_STRATEGY, 1), (COUNTING_STRATEGY + "# other\n", 2)):
        file.write_text(text)
        run_sweep(request({}, strategy_files=[file]), tmp_path / "s", compute=compute)
        assert len((tmp_path / "counted").read_text().splitlines()) == runs
    first, second = journal_of(tmp_path / "s")
    assert list(first["strategies"]) == ["bare-metal", "inject-abort", "map-on-fault", "counting"]
    assert list(second["strategies"]) == ["counting"]
    assert len(rows_of(tmp_path / "s")) == 4 * 2


def test_worker_that_dies_is_replaced_and_a_run_that_kills_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = tmp_path / "once"
    code = COUNTING_STRATEGY.replace(
        'time.sleep(float(os.environ["SECONDS"]))',
        "\n        if os.environ['ALWAYS'] or not os.path.exists(os.environ['ONCE']):\n"
        "            open(os.environ['ONCE'], 'w').close()\n"
        f"            os.kill(os.getpid(), {int(signal.SIGKILL)})\n",
    )
    (tmp_path / "deadly.py").write_text(code)
    for name, value in {"COUNTED": os.devnull, "ONCE": str(once), "ALWAYS": ""}.items():
        monkeypatch.setenv(name, value)
    asked = request({"costs.irq_ns": [1, 2, 3]}, strategy_files=[tmp_path / "deadly.py"])
    run_sweep(asked, tmp_path / "a", jobs=1)
    assert once.exists()
    assert len(journal_of(tmp_path / "a")) == 3
    monkeypatch.setenv("ALWAYS", "1")
    with pytest.raises(WorkerLostError, match="ended by signal 9"):
        run_sweep(asked, tmp_path / "b", jobs=1)


def test_no_tasks_start_no_process() -> None:
    assert list(run_local([], 4)) == []


def test_dry_run_lists_and_writes_nothing(spetrace: Command, tmp_path: Path) -> None:
    words = ["sweep", EVENT_LOG, "--set", "costs.irq_ns=1,2", "-o", tmp_path / "s"]
    listed = spetrace(*words, "--dry-run")
    assert listed.code == 0
    assert "2 runs of 14 strategies each: 0 done, 2 to compute" in listed.out
    assert "lacks  events costs.irq_ns=2" in listed.out
    assert not (tmp_path / "s").exists()
    plan = plan_sweep(request({"costs.irq_ns": [1, 2]}), tmp_path / "s")
    assert all(run.run_id in listed.out for run in plan.runs)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--set", "irq_ns=1"], 2, "did you mean costs.irq_ns?"),
        (["--set", "page_size=4K,5000"], 2, "5000 is not one of"),
        (["--set", "page_size=4K,64K"], 2, "in pages of one size"),
        (["--strategy", "pin-everything"], 2, "'pin-everything' is none"),
        (["--placements", "4"], 2, "assembled already"),
        (["--set", "costs.irq_ns=1,2,3", "--max-runs", "2"], 2, "above the limit of 2"),
        (["--capture", "x=nothing.dat"], 3, "No such file"),
        (["--capture", "events=host.dat"], 2, "two captures are named 'events'"),
        (["--scheduler", "nowhere"], 2, "can't be reached"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_nothing_runs(
    spetrace: Command,
    tmp_path: Path,
    words: list[str],
    code: int,
    said: str,
) -> None:
    result = spetrace("sweep", EVENT_LOG, "-o", tmp_path / "s", *words)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "s" / "runs.parquet").exists()


def test_help_teaches_with_examples(spetrace: Command) -> None:
    text = spetrace("sweep", "--help").out
    assert "--placements" in text
    assert "spetrace sweep host.dat --assume-spe --set costs.irq_ns=500,1000,10000" in text


def test_recordings_are_assembled_anew_where_the_grid_changes_their_events(tmp_path: Path) -> None:
    options = SessionOptions(buffer_touched=False)
    grid = {"initial_stage2": ["empty", "all"]}
    asked = request(grid, captures=[GUEST], options=options)
    plan = run_sweep(asked, tmp_path / "s", compute=compute)
    assert len({run.session for run in plan.runs}) == 2
    *files, toml = map(Path, GUEST.files)
    rows = rows_of(tmp_path / "s").to_pylist()
    for initial in grid["initial_stage2"]:
        given = replace(options, session_toml=toml, parameters={"initial_stage2": initial})
        expected = replay_files(files, given, strategies="map-on-fault").results.to_pylist()
        own = [row for row in rows if row["initial_stage2"] == initial]
        assert [{name: row[name] for name in expected[0]} for row in own] == expected


def test_run_that_fails_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTED", os.devnull)
    text = COUNTING_STRATEGY.replace("time.sleep(", "raise ArithmeticError('no such sum')  # ")
    (tmp_path / "failing.py").write_text(text)
    asked = request({}, strategy_files=[tmp_path / "failing.py"])
    with pytest.raises(RunFailedError, match=r"ArithmeticError: no such sum \(failing.py, line 2"):
        run_sweep(asked, tmp_path / "s", jobs=1)


def test_answer_that_a_dying_worker_cut_is_none() -> None:
    ours, theirs = multiprocessing.Pipe()
    os.write(theirs.fileno(), struct.pack("!i", 1000) + b"the beginning")
    theirs.close()
    with ours:
        assert _answer(_Worker(None, ours)) is None
