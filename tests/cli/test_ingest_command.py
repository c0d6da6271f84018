from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from cli.command import SAMPLES, Command

from spetrace.arm.explanation import EXPLAINED_COLUMNS
from spetrace.arm.threads import THREAD_COLUMNS
from spetrace.tables.catalog import TABLES

SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"
JOINED = SAMPLES / "spe-on-kvm"


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def check_schemas(folder: Path) -> None:
    """Every table is as declared; a tracepoint's begins with the declared columns."""
    for path in folder.glob("*.parquet"):
        found = pq.read_schema(path)
        declared = TABLES[path.stem].schema
        assert found.equals(declared), path.stem
        assert found.metadata == declared.metadata
    for path in (folder / "tracepoints").glob("*.parquet"):
        names = TABLES["tracepoints"].names
        assert pq.read_schema(path).names[: len(names)] == names


def test_spe_recording_alone(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("ingest", SPE, "-o", tmp_path / "out")
    assert result.code == 0, result.err
    assert f"{tmp_path / 'out' / 'spe_records.parquet'}: 3,124 rows" in result.out
    assert {
        "session.json",
        "spe_records.parquet",
        "aux_records.parquet",
        "events.parquet",
    } <= files(tmp_path / "out")
    check_schemas(tmp_path / "out")
    records = pq.read_table(tmp_path / "out" / "spe_records.parquet")
    events = pq.read_table(tmp_path / "out" / "events.parquet")
    of_records = events.filter(events["kind"].cast("string").to_numpy() == "spe_record")
    sizes = records["size_bytes"].take(of_records["row"].combine_chunks())
    assert sizes.to_pylist() == of_records["bytes"].to_pylist()
    assert sorted(of_records["row"].to_pylist()) == list(range(3124))


def test_kvm_recording_alone_has_no_event_log(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("ingest", KVM, "-o", tmp_path / "out")
    assert result.code == 0, result.err
    found = files(tmp_path / "out")
    assert {"kvm_exits.parquet", "stage2_faults.parquet", "tracepoints/kvm_entry.parquet"} <= found
    assert "events.parquet" not in found
    check_schemas(tmp_path / "out")
    assert pq.read_metadata(tmp_path / "out" / "tracepoints" / "kvm_entry.parquet").num_rows == 865
    replayed = spetrace("replay", tmp_path / "out")
    assert replayed.code == 4


def test_session_says_what_it_was_made_of(spetrace: Command, tmp_path: Path) -> None:
    spe, host = JOINED / "guest.perf.data", JOINED / "host.dat"
    words = ("ingest", spe, host, "--session", JOINED / "session.toml", "-o", tmp_path / "out")
    assert spetrace(*words).code == 0
    check_schemas(tmp_path / "out")
    session = json.loads((tmp_path / "out" / "session.json").read_text())
    assert [i["name"] for i in session["inputs"]] == [str(spe), str(host)]
    assert [i["size_bytes"] for i in session["inputs"]] == [spe.stat().st_size, host.stat().st_size]
    assert all(len(i["sha256"]) == 64 for i in session["inputs"])
    assert {"clocks", "machines", "assumptions", "versions", "parameters"} <= set(session)


@pytest.mark.parametrize(
    "inputs", [[SPE], [LOG], [JOINED / "guest.perf.data", JOINED / "host.dat"]], ids=len
)
def test_session_folder_replays_as_its_recordings(
    spetrace: Command, tmp_path: Path, inputs: list[Path]
) -> None:
    assert spetrace("ingest", *inputs, "-o", tmp_path / "session").code == 0
    direct = json.loads(spetrace("replay", *inputs, "--format", "json").out)
    again = json.loads(spetrace("replay", tmp_path / "session", "--format", "json").out)
    assert again == direct


def test_second_ingest_replaces_the_first(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", KVM, "-o", tmp_path).code == 0
    (tmp_path / "notes.txt").write_text("mine")
    assert spetrace("ingest", SPE, "-o", tmp_path).code == 0
    assert not (tmp_path / "tracepoints").exists()
    assert not (tmp_path / "kvm_exits.parquet").exists()
    assert (tmp_path / "notes.txt").exists()


def test_session_folder_stands_alone(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", SPE, "-o", tmp_path / "s").code == 0
    for words in (
        ["replay", tmp_path / "s", LOG],
        ["replay", tmp_path / "s", "--assume-spe"],
        ["replay", tmp_path / "s", "-o", tmp_path / "s"],
    ):
        result = spetrace(*words)
        assert result.code == 2, result.err
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("damage", ["session.json", "quality.parquet", "events.parquet"])
def test_damaged_session_folder_is_an_input_error(
    spetrace: Command, tmp_path: Path, damage: str
) -> None:
    assert spetrace("ingest", SPE, "-o", tmp_path / "s").code == 0
    for content in (b"", b"[]", b"{}", b"PAR1 and no more", b"\xff" * 100):
        (tmp_path / "s" / damage).write_bytes(content)
        result = spetrace("replay", tmp_path / "s")
        assert result.code == 3, (content, result.err)
        assert damage in result.err
        assert result.err.count("\n") == 1


def test_explain_adds_what_the_codes_mean(spetrace: Command, tmp_path: Path) -> None:
    plain, explained = tmp_path / "plain", tmp_path / "explained"
    assert spetrace("ingest", SPE, "-o", plain).code == 0
    assert spetrace("ingest", SPE, "--explain", "-o", explained).code == 0
    recorded = pl.read_parquet(plain / "spe_records.parquet")
    told = pl.read_parquet(explained / "spe_records.parquet")
    assert told.select(recorded.columns).equals(recorded)
    assert told.columns[len(recorded.columns) :] == [*EXPLAINED_COLUMNS, *THREAD_COLUMNS]
    load = told.filter(operation="load", operation_payload=0, data_source=8).row(0, named=True)
    assert (load["operation_name"], load["memory_level"]) == ("LD GP-REG", "L2")
    assert load["event_names"][0] == "RETIRED"


def test_records_are_on_the_sessions_clock(spetrace: Command, tmp_path: Path) -> None:
    plain, moved = tmp_path / "plain", tmp_path / "moved"
    assert spetrace("ingest", SPE, "-o", plain).code == 0
    assert spetrace("ingest", SPE, "--clock-offset", "1000", "-o", moved).code == 0
    times = [pl.read_parquet(f / "spe_records.parquet")["time_ns"] for f in (plain, moved)]
    events = pl.read_parquet(moved / "events.parquet").filter(kind="spe_record")
    assert (times[0] + 1000).equals(times[1])
    assert times[1].gather(events["row"]).equals(events["ts"].rename("time_ns"))
