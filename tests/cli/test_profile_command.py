from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from cli.command import SAMPLES, Command
from ingest.spe.perf_view import LD, read_perf_csv

from spetrace import arm
from spetrace.tables.profiles import PROFILE_TABLES

SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
KVM = SAMPLES / "kvm-known-pages" / "trace.dat"


def test_every_percentage_has_its_count(spetrace: Command) -> None:
    result = spetrace("profile", SPE, "--top", "3")
    assert result.code == 0, result.err
    out = result.out
    assert out.startswith("3,124 samples, 2 CPUs, 643 us\n")
    for title in ("Functions", "Instructions", "Data pages", "Branches", "CPUs"):
        assert f"\n{title}\n" in out
    assert "unknown in synth+0x100" in out
    assert "null" not in out
    load = next(line for line in out.splitlines() if line.startswith("load  "))
    assert load.split() == ["load", "1,381", "44.2"]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_tables_fit_the_terminal(
    spetrace: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = spetrace("profile", SPE).out
    assert max(map(len, out.splitlines())) <= width
    assert ("Not shown for want of room" in out) == (width < 140)


def test_a_session_folder_gives_what_its_recording_gives(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", SPE, "-o", tmp_path / "session").code == 0
    folder = spetrace("profile", tmp_path / "session", "--format", "json")
    assert folder.code == 0, folder.err
    assert json.loads(folder.out) == json.loads(spetrace("profile", SPE, "--format", "json").out)


def test_a_profile_is_written_whole(spetrace: Command, tmp_path: Path) -> None:
    output = tmp_path / "new" / "profile"
    result = spetrace("profile", SPE, "-o", output, "--format", "parquet", "--cpu", "1")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == len(PROFILE_TABLES)
    for table in PROFILE_TABLES:
        stored = pq.read_schema(output / f"{table.name}.parquet")
        assert stored.names == table.names
        assert stored.metadata == table.schema.metadata
    report = json.loads((output / "profile.json").read_text(encoding="utf-8"))
    assert report["samples"] == 1562
    assert report["choices"] == {"cpu": "1"}
    assert [row["cpu"] for row in report["cpus"]] == [1]
    assert (output / "profile.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.fixture(scope="module")
def expected() -> pl.DataFrame:
    """perf's own records of the recording."""
    return read_perf_csv(SPE.with_name("records.csv.gz"))


@pytest.fixture
def charts(spetrace: Command, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The charts of the recording's page, as plotly gets them."""
    assert spetrace("profile", SPE, "-o", tmp_path / "profile").code == 0
    page = (tmp_path / "profile" / "profile.html").read_text(encoding="utf-8")
    data = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page)
    assert data is not None
    return {chart["name"]: chart for chart in json.loads(data[1])}


def test_latencies_are_drawn_per_data_source(
    charts: dict[str, dict[str, Any]], expected: pl.DataFrame
) -> None:
    loads = expected.filter(pl.col("op") & LD != 0)["source"].to_list()
    named = Counter(arm.data_source_name(source, 0x413FD0C1) for source in loads)
    curves = {curve["name"]: curve for curve in charts["latencies"]["data"]}
    assert len(named) > 4
    for name, count in named.items():
        drawn = curves[f"{name} ({count:,})"]
        assert sum(samples for _, samples in drawn["customdata"]) == count


def test_data_addresses_are_drawn_over_time(
    charts: dict[str, dict[str, Any]], expected: pl.DataFrame
) -> None:
    (heat,) = charts["addresses"]["data"]
    assert sum(cell or 0 for row in heat["customdata"] for cell in row) == len(
        expected.filter(pl.col("virt") != 0)
    )
    assert len(heat["x"]) == len(heat["customdata"][0]) > 20
    assert len(heat["y"]) == len(heat["customdata"]) > 20


def test_rates_are_drawn_per_cpu_with_the_recordings_gaps(
    charts: dict[str, dict[str, Any]], spetrace: Command, tmp_path: Path
) -> None:
    assert spetrace("ingest", SPE, "-o", tmp_path / "session").code == 0
    session = tmp_path / "session"
    records = pl.read_parquet(session / "spe_records.parquet")
    gaps = pl.read_parquet(session / "recording_gaps.parquet")
    start = records["time_ns"].min()
    *lanes, losses = charts["rates"]["data"]
    assert charts["rates"]["layout"]["yaxis"]["ticktext"] == ["CPU 0", "CPU 1"]
    for cpu, lane in enumerate(lanes[1::2]):
        drawn = sum(samples for _, samples in lane["customdata"])
        assert drawn == len(records.filter(pl.col("cpu") == cpu))
    spans = {
        (round(x[0] * 1e9), round(x[2] * 1e9), y)
        for n in range(0, len(losses["x"]), 6)
        for x, y in [(losses["x"][n : n + 6], losses["y"][n])]
    }
    assert spans == {(g[0] - start, g[1] - start, g[2]) for g in gaps.select("start_ns", "end_ns", "cpu").rows()}  # fmt: skip
    told = spetrace("profile", SPE).out.splitlines()[1]
    lost = gaps["records_lost_estimate"].sum()
    assert told.startswith(f"{len(gaps)} gaps of ")
    assert f"; about {lost} sample" in told


def test_one_ranking_alone(spetrace: Command) -> None:
    out = spetrace("profile", SPE, "--by", "physical-page", "--top", "2").out
    assert "\nPhysical data pages\n" in out
    assert "\nFunctions\n" not in out


def test_the_kernels_functions_are_named(spetrace: Command, tmp_path: Path) -> None:
    kallsyms = tmp_path / "kallsyms"
    kallsyms.write_text(
        "ffff800008000000 T _text\nffff8000080e9fe8 T schedule\nffff8000080ea000 T next\n"
    )
    out = spetrace("profile", SPE, "--kallsyms", kallsyms, "--by", "pc", "--top", "100").out
    assert "schedule+0x0" in out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([SPE, "--format", "parquet"], 2, "-o DIR"),
        ([SPE, "--source", "1"], 2, "0 to 0"),
        ([SPE, "--symfs", "/nowhere/at/all"], 2, "no directory"),
        ([SPE, "--top", "0"], 2, "top"),
        ([SPE, "--kallsyms", KVM], 3, "kallsyms"),
        ([SPE, "--kallsyms", "/nowhere/at/all"], 3, "No such file"),
        (["/nowhere/at/all"], 3, "No such file"),
        ([KVM], 4, "no SPE data"),
        ([SPE, "--cpu", "9"], 4, "no SPE record"),
        ([SAMPLES], 4, "no spe_records.parquet"),
        ([SPE, SAMPLES], 2, "alone"),
    ],
)
def test_what_cannot_be_profiled_is_one_sentence(
    spetrace: Command, tmp_path: Path, words: list[str | Path], code: int, sentence: str
) -> None:
    result = spetrace("profile", *words)
    assert (result.code, result.out) == (code, "")
    assert sentence in result.err
    assert result.err.count("\n") == 1


def test_a_damaged_folder_is_our_error(spetrace: Command, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    assert spetrace("ingest", SPE, "-o", folder).code == 0
    for name in ("spe_records.parquet", "mappings.parquet", "session.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        result = spetrace("profile", folder, "-o", tmp_path / "profile")
        assert result.code == 3, name
        assert name in result.err
        assert not (tmp_path / "profile").exists()
        (folder / name).write_bytes(whole)


def test_help_teaches_by_example(spetrace: Command) -> None:
    out = spetrace("profile", "--help").out
    assert "spetrace profile guest.perf.data" in out
