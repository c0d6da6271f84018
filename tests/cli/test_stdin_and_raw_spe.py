"""Inputs that are no files with a format: stdin, and bare SPE bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from builders import spe_load_record
from cli.command import SAMPLES, Command, start

SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
RECORDS = b"".join(spe_load_record(1000 + n, 0x4000, 0x8000) for n in range(5))


def piped(content: bytes, *words: str | Path) -> tuple[int, str, str]:
    process = start(*words, stdin=subprocess.PIPE, text=False)
    out, err = process.communicate(content, timeout=60)
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def raw_spe(tmp_path: Path) -> Path:
    path = tmp_path / "spe.bin"
    path.write_bytes(RECORDS)
    return path


def test_ingest_of_stdin_is_that_of_the_file(spetrace: Command, tmp_path: Path) -> None:
    code, _, err = piped(SPE.read_bytes(), "ingest", "-", "-o", tmp_path / "piped")
    assert (code, err) == (0, "")
    assert spetrace("ingest", SPE, "-o", tmp_path / "read").code == 0
    for name in ("spe_records", "aux_records", "events", "mappings", "threads", "recording_gaps"):
        piped_table, read_table = (
            pq.read_table(tmp_path / folder / f"{name}.parquet") for folder in ("piped", "read")
        )
        assert piped_table.equals(read_table), name
    piped_input, read_input = (
        json.loads((tmp_path / folder / "session.json").read_text())["inputs"][0]
        for folder in ("piped", "read")
    )
    assert piped_input["name"] == "<stdin>"
    assert piped_input["sha256"] == hashlib.sha256(SPE.read_bytes()).hexdigest()
    assert piped_input | {"name": str(SPE)} == read_input


def test_replay_of_stdin_is_that_of_the_file(spetrace: Command) -> None:
    code, out, err = piped(SPE.read_bytes(), "replay", "-", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(spetrace("replay", SPE, "--format", "json").out)


def test_info_and_dump_take_stdin(spetrace: Command) -> None:
    code, out, _ = piped(SPE.read_bytes(), "info", "-", "--format", "json")
    assert code == 0
    assert json.loads(out)[0]["spe"]["records"] == 3124
    code, out, _ = piped(SPE.read_bytes(), "dump", "-", "--limit", "20")
    assert code == 0
    assert out == spetrace("dump", SPE, "--limit", "20").out


def test_profile_of_stdin_is_that_of_the_file(spetrace: Command) -> None:
    code, out, err = piped(SPE.read_bytes(), "profile", "-", "--format", "json")
    assert (code, err) == (0, "")
    (piped_input,) = (piped_profile := json.loads(out)).pop("inputs")
    (read_input,) = (read := json.loads(spetrace("profile", SPE, "--format", "json").out)).pop(
        "inputs"
    )
    assert piped_profile == read
    assert piped_input | {"name": str(SPE)} == read_input


def test_stdin_that_can_not_be_read_is_an_input_error() -> None:
    for content in (b"", b"no recording"):
        code, _, err = piped(content, "info", "-")
        assert code == 3
        assert err.startswith("spetrace: <stdin>: ")
        assert err.count("\n") == 1


def test_ingest_of_bare_spe_bytes(spetrace: Command, tmp_path: Path, raw_spe: Path) -> None:
    result = spetrace("ingest", "--raw-spe", raw_spe, "-o", tmp_path / "out")
    assert result.code == 0, result.err
    records = pq.read_table(tmp_path / "out" / "spe_records.parquet")
    assert records["timestamp_ticks"].to_pylist() == list(range(1000, 1005))
    assert records["cpu"].null_count == 5
    assert not (tmp_path / "out" / "events.parquet").exists()
    (facts,) = json.loads((tmp_path / "out" / "session.json").read_text())["inputs"]
    assert (facts["name"], facts["format"]) == (str(raw_spe), "raw SPE")
    assert facts["sha256"] == hashlib.sha256(RECORDS).hexdigest()


def test_bare_spe_bytes_come_after_the_files(
    spetrace: Command, tmp_path: Path, raw_spe: Path
) -> None:
    words = ("ingest", "--raw-spe", raw_spe, SPE, "--raw-spe", raw_spe, "-o", tmp_path / "out")
    assert spetrace(*words).code == 0
    records = pq.read_table(tmp_path / "out" / "spe_records.parquet")
    sources = records["source"].to_pylist()
    assert sources == [0] * 3124 + [1] * 5 + [2] * 5
    inputs = json.loads((tmp_path / "out" / "session.json").read_text())["inputs"]
    assert [i["format"] for i in inputs] == ["perf.data", "raw SPE", "raw SPE"]


def test_info_of_bare_spe_bytes(spetrace: Command, raw_spe: Path) -> None:
    result = spetrace("info", "--raw-spe", raw_spe)
    assert result.code == 0
    assert "5 records in 1 AUX streams" in result.out
    assert "of an unknown CPU: 5 records, 320 bytes" in result.out


@pytest.mark.parametrize("words", [["info"], ["ingest", "-o", "out"]])
def test_no_input_at_all_is_wrong_usage(spetrace: Command, words: list[str]) -> None:
    result = spetrace(*words)
    assert result.code == 2
    assert "no input" in result.err
