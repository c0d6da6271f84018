"""Profile fidelity from files: a buffer whose pages fault at the same function again and again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from builders import spe_branch_record, spe_load_record
from builders_perf_data import PerfData, spe_perf_data
from builders_side_band import path_bytes
from cli.command import SAMPLES
from plain_fidelity import plain_distance
from profile_samples import elf_file

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.report.comparison import compare
from spetrace.report.json_report import render_json
from spetrace.report.mail import WIDTH, render_mail
from spetrace.session.options import SessionOptions
from spetrace.tables.run import Run
from spetrace.workflow.pipeline import ingest_files, replay_files

PER_PAGE = 65
"""64 records fill a page; the one that faults on it is lost and takes no room."""
PAGES = 60
RECORDS = PER_PAGE * PAGES
TICKS = 2000
"""Between two records: 80 us, longer than any blackout."""
START = 0x500000
EVENT_LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"
UNTOUCHED = SessionOptions(buffer_touched=False, parameters={"initial_stage2": "empty"})


def record(n: int) -> bytes:
    """Each page's first record is of one function, a branch; the others are loads all over the place."""
    ticks = 1_000_000 + n * TICKS
    if n % PER_PAGE == 0:
        return spe_branch_record(ticks, START + 0x1200, START)
    return spe_load_record(ticks, START + 0x1000 + (n * 7919 % 32) * 16, 0x7000 + n)


def mapped(file: PerfData, path: Path) -> bytes:
    """The recorded process has `path` at START."""
    body = file.pack("IIQQQ", 40, 42, START, 0x4000, 0)
    body += bytes([20, 0, 0, 0]) + bytes(range(20)) + file.pack("II", 5, 2)
    return file.record(
        RecordType.MMAP2, body + path_bytes(str(path)) + file.sample_id(tid=42), 1 << 14
    )


def perf_data(path: Path, program: Path | None = None, records: Sequence[int] = ()) -> Path:
    data = b"".join(map(record, records or range(RECORDS)))
    file = spe_perf_data()
    if program:
        file.records.append(mapped(file, program))
    file.records += [
        file.time_conv(21, 83886080, 0),
        file.aux(0, len(data)),
        file.auxtrace(0, data),
    ]
    path.write_bytes(file.build())
    return path


def measured(run: Run, strategy: str) -> dict[str, dict[str, Any]]:
    return {r["measure"]: r for r in run.fidelity.to_pylist() if r["strategy"] == strategy}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return replay_files([perf_data(tmp_path_factory.mktemp("fidelity") / "perf.data")], UNTOUCHED)


def test_blackouts_at_one_function_skew_what_they_hit(run: Run) -> None:
    found = measured(run, "map-on-fault")
    assert found["pc"]["basis"] == "4 KiB pages"
    operation = found["operation"]
    assert (operation["records"], operation["surviving"]) == (RECORDS, RECORDS - PAGES)
    # Branches are 1 of 65 records, and all lost: that share is the distance.
    assert operation["value"] == pytest.approx(1 / PER_PAGE)
    assert operation["is_skewed"] is True
    source = found["data_source"]
    assert source["records"] == source["surviving"] == RECORDS - PAGES
    assert (source["value"], source["is_skewed"]) == (0, False)
    assert (found["latency_p99"]["value"], found["latency_p99"]["is_skewed"]) == (0, False)


def test_strategies_without_loss_are_not_skewed(run: Run) -> None:
    for row in measured(run, "bare-metal").values():
        assert (row["value"], row["noise_p95"], row["is_skewed"]) == (0, 0, False)


def test_functions_where_symbols_are_known(tmp_path: Path) -> None:
    functions = [("first", 0x401200, 0x10), ("many", 0x401000, 0x200)]
    program = tmp_path / "program"
    program.write_bytes(elf_file(functions))
    run = replay_files([perf_data(tmp_path / "perf.data", program)], UNTOUCHED)
    pc = measured(run, "map-on-fault")["pc"]
    assert pc["basis"] == "functions"
    assert pc["value"] == pytest.approx(1 / PER_PAGE)
    assert pc["is_skewed"] is True
    told = {a["name"]: a for a in run.session["assumptions"]}
    assert told["fidelity-functions"]["value"] == "100.0 %"
    program.write_bytes(elf_file([("first", 0x401200, 0x10)]))
    run = replay_files([tmp_path / "perf.data"], UNTOUCHED)
    assert measured(run, "map-on-fault")["pc"]["basis"] == "4 KiB pages"


def test_session_folder_gives_the_same(tmp_path: Path, run: Run) -> None:
    source = perf_data(tmp_path / "perf.data")
    ingest_files([source], tmp_path / "session", UNTOUCHED)
    options = SessionOptions(parameters=UNTOUCHED.parameters)
    again = replay_files([tmp_path / "session"], options)
    assert again.fidelity == run.fidelity
    (tmp_path / "session" / "spe_records.parquet").write_bytes(b"PAR1 no more")
    damaged = replay_files([tmp_path / "session"], options)
    assert len(damaged.fidelity) == 0
    assert "spe_records.parquet" in damaged.session["fidelity_left_out"]
    (tmp_path / "session" / "spe_records.parquet").unlink()
    without = replay_files([tmp_path / "session"], options)
    assert "holds no spe_records.parquet" in without.session["fidelity_left_out"]


def test_two_recordings_are_told_apart(tmp_path: Path) -> None:
    loads = [n for n in range(RECORDS) if n % PER_PAGE]
    paths = [perf_data(tmp_path / "a"), perf_data(tmp_path / "b", records=loads)]
    run = replay_files(paths, UNTOUCHED, outcomes=True, output=tmp_path / "results")
    written = pq.read_table(tmp_path / "results" / "outcomes.parquet")
    outcomes = [o for o in written.to_pylist() if o["strategy"] == "map-on-fault"]
    is_branch = [not n % PER_PAGE for n in range(RECORDS)] + [False] * len(loads)
    assert sorted(o["row"] for o in outcomes) == list(range(len(is_branch)))
    left = [is_branch[o["row"]] for o in outcomes if o["outcome"] == "captured"]
    found = measured(run, "map-on-fault")["operation"]
    assert (found["records"], found["surviving"]) == (len(is_branch), len(left))
    assert found["value"] == pytest.approx(float(plain_distance(left, is_branch)))
    assert found["value"] > 0


def test_event_log_says_why_there_is_none() -> None:
    run = replay_files([EVENT_LOG])
    assert len(run.fidelity) == 0
    assert "event log" in run.session["fidelity_left_out"]
    assert "Profile fidelity" in render_mail(compare(run))
    asked_not = replay_files([EVENT_LOG], fidelity=False)
    assert "fidelity_left_out" not in asked_not.session
    assert "Profile fidelity" not in render_mail(compare(asked_not))


def test_reports_and_files_hold_it(tmp_path: Path) -> None:
    source = perf_data(tmp_path / "perf.data")
    run = replay_files([source], UNTOUCHED, output=tmp_path / "results")
    assert pq.read_table(tmp_path / "results" / "fidelity.parquet").num_rows == len(run.fidelity)
    assert json.loads(render_json(run))["fidelity"] == run.fidelity.to_pylist()
    text = (tmp_path / "results" / "report.txt").read_text()
    assert all(len(line) <= WIDTH for line in text.splitlines())
    section = text.split("Profile fidelity\n")[1]
    (line,) = [at for at in section.splitlines() if at.startswith("  map-on-fault")]
    assert line.split()[1:] == ["0", "0", "0.0154*", "0", "0"]
    assert "fidelity-seed = 0" in text


def test_no_records_are_kept_where_none_was_asked_for(tmp_path: Path) -> None:
    source = perf_data(tmp_path / "perf.data")
    run = replay_files([source], UNTOUCHED, fidelity=False)
    assert len(run.fidelity) == 0
    assert run.iter_outcomes() is None
    assert not any(a["name"].startswith("fidelity") for a in run.session["assumptions"])
    assert np.array(run.results["captured"]).any()
