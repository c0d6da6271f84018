"""A dataset of results: what is in it, what stays, and what an interruption leaves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from processes import ended_process
from runs import full_run, small_run

from spetrace.errors import InputError, OutputError, UsageError
from spetrace.report import dataset as module
from spetrace.report.dataset import Collected, collect
from spetrace.report.folder_lock import holding
from spetrace.report.parquet import load_run, save_run
from spetrace.tables.run import Run

TABLES = ("results", "blackouts", "aborts", "pinned")


def saved(run: Run, folder: Path) -> Path:
    save_run(run, folder)
    return folder


def put(folder: Path, **runs: Path) -> list[Collected]:
    return list(collect(runs, folder))


def rows(table: pa.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=repr)


def test_dataset_holds_the_rows_of_its_results(tmp_path: Path) -> None:
    a, b = saved(full_run(), tmp_path / "a"), saved(small_run(), tmp_path / "b")
    assert [c.is_new for c in put(tmp_path / "ds", a=a, b=b)] == [True, True]
    for name in TABLES:
        read = ds.dataset(tmp_path / "ds" / name, partitioning="hive").to_table()
        expected = [
            {**row, "capture": capture}
            for capture, folder in (("a", a), ("b", b))
            for row in getattr(load_run(folder), name).to_pylist()
        ]
        assert rows(read) == sorted(
            ({key: row[key] for key in read.column_names} for row in expected), key=repr
        )
    quality = ds.dataset(tmp_path / "ds" / "quality", partitioning="hive").to_table()
    assert quality["capture"].to_pylist() == ["a", "a"]


def test_every_table_has_a_file_per_strategy(tmp_path: Path) -> None:
    put(tmp_path / "ds", a=saved(small_run(), tmp_path / "a"))
    for name in TABLES:
        files = (tmp_path / "ds" / name / "capture=a").glob("*/part.parquet")
        assert {path.parent.name for path in files} == {
            f"strategy={s}" for s in ("bare-metal", "inject-abort", "pin-vm", "map-on-fault")
        }
    assert not (tmp_path / "ds" / "outcomes").exists()


def test_files_tell_table_version_and_units(tmp_path: Path) -> None:
    put(tmp_path / "ds", a=saved(full_run(), tmp_path / "a"))
    for path in (tmp_path / "ds").glob("*/**/*.parquet"):
        metadata = pq.read_schema(path).metadata
        table = path.relative_to(tmp_path / "ds").parts[0]
        assert metadata[b"spetrace.table"].decode() == table
        assert metadata[b"spetrace.version"]
        assert metadata[b"spetrace.producer"].startswith(b"spetrace ")
    units = json.loads(metadata[b"spetrace.units"])
    assert all(unit for unit in units.values())


def test_what_is_there_stays(tmp_path: Path) -> None:
    folder, run = tmp_path / "ds", saved(full_run(), tmp_path / "a")
    put(folder, a=run)
    times = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    again = put(folder, a=run, b=run)
    assert [(c.capture, c.is_new) for c in again] == [("a", False), ("b", True)]
    kept = {p for p in times if p.is_file()}
    assert {p: p.stat().st_mtime_ns for p in kept} == {p: times[p] for p in kept}


def test_changed_results_replace_a_capture(tmp_path: Path) -> None:
    run = tmp_path / "a"
    put(tmp_path / "ds", a=saved(full_run(), run))
    assert (tmp_path / "ds" / "outcomes" / "capture=a").exists()
    put(tmp_path / "ds", a=saved(small_run(), run))
    assert not (tmp_path / "ds" / "outcomes" / "capture=a").exists()
    assert len(ds.dataset(tmp_path / "ds" / "blackouts", partitioning="hive").to_table()) == 0
    assert not list((tmp_path / "ds").glob(".*"))


def test_interrupted_capture_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = saved(full_run(), tmp_path / "a")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_text", stop)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "ds", a=run)
    monkeypatch.undo()
    assert put(tmp_path / "ds", a=run)[0].is_new
    assert not put(tmp_path / "ds", a=run)[0].is_new


def test_failure_leaves_the_capture_as_it_was(tmp_path: Path) -> None:
    run = saved(full_run(), tmp_path / "a")
    put(tmp_path / "ds", a=run)
    before = {p: p.read_bytes() for p in (tmp_path / "ds").rglob("*") if p.is_file()}
    (run / "pinned.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"pinned\.parquet"):
        put(tmp_path / "ds", a=run)
    assert {p: p.read_bytes() for p in (tmp_path / "ds").rglob("*") if p.is_file()} == before


def test_newer_dataset_is_refused(tmp_path: Path) -> None:
    run = saved(small_run(), tmp_path / "a")
    put(tmp_path / "ds", a=run)
    about = tmp_path / "ds" / "captures" / "a.json"
    facts = json.loads(about.read_text())
    assert facts["session"] == load_run(run).session
    about.write_text(json.dumps(facts | {"version": 2}))
    with pytest.raises(InputError, match="is of version 2; this spetrace reads versions up to 1"):
        put(tmp_path / "ds", a=run)


@pytest.mark.parametrize("text", ["", "[]", '{"sha256": 5}', "\x00", "[" * 100_000])
def test_damaged_description_is_made_anew(tmp_path: Path, text: str) -> None:
    run = saved(small_run(), tmp_path / "a")
    put(tmp_path / "ds", a=run)
    (tmp_path / "ds" / "captures" / "a.json").write_text(text)
    assert put(tmp_path / "ds", a=run)[0].is_new


@pytest.mark.parametrize(
    "name", ["", "1", "2024-01-01", "a/b", "..", "a b", "true", "NaN", "a" * 101, "caf\xe9"]
)
def test_name_that_readers_take_for_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a name begins with a letter"):
        list(collect({name: tmp_path}, tmp_path / "ds"))


def test_strategy_names_of_any_kind_are_read_back(tmp_path: Path) -> None:
    run = small_run()
    names = {"pin-vm": "a/b=c %41?*", "map-on-fault": "caf\xe9"}
    changed = [names.get(n, n) for n in run.results["strategy"].to_pylist()]
    strategy = pa.array(changed).dictionary_encode()
    run.results = run.results.set_column(0, run.results.schema.field(0), strategy)
    put(tmp_path / "ds", a=saved(run, tmp_path / "a"))
    read = ds.dataset(tmp_path / "ds" / "results", partitioning="hive").to_table()
    assert set(read["strategy"].to_pylist()) == set(changed)
    scanned = pl.read_parquet(tmp_path / "ds" / "results", hive_partitioning=True)
    assert set(scanned["strategy"]) == set(changed)


def test_rows_of_a_strategy_without_results_are_an_error(tmp_path: Path) -> None:
    run = full_run()
    run.pinned = run.pinned.set_column(
        0, run.pinned.schema.field(0), pa.array(["nobody"]).dictionary_encode()
    )
    with pytest.raises(InputError, match="has strategy nobody"):
        put(tmp_path / "ds", a=saved(run, tmp_path / "a"))


def test_folder_whose_session_json_says_nothing_is_refused(tmp_path: Path) -> None:
    run = saved(small_run(), tmp_path / "a")
    (run / "session.json").write_text("{}")
    with pytest.raises(InputError, match="names no strategy: give the folder that spetrace replay"):
        put(tmp_path / "ds", a=run)
    assert not (tmp_path / "ds").exists()


def test_two_that_collect_come_one_after_the_other(tmp_path: Path) -> None:
    run, folder = saved(small_run(), tmp_path / "a"), tmp_path / "ds"
    folder.mkdir()
    with ThreadPoolExecutor(1) as pool:
        with holding(folder):
            made = pool.submit(put, folder, a=run)
            with pytest.raises(TimeoutError):
                made.result(0.3)
            assert list(folder.iterdir()) == []
        assert made.result()[0].is_new
    assert not put(folder, a=run)[0].is_new


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "ds" / f".collect.{ended_process()}"
    left.mkdir(parents=True)
    put(tmp_path / "ds", a=saved(small_run(), tmp_path / "a"))
    assert not left.exists()


def test_dataset_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "ds").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        put(tmp_path / "ds", a=saved(small_run(), tmp_path / "a"))
