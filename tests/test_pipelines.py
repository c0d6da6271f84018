"""The README's queries, extracted from it and run by the real libraries on folders that the commands made."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from spetrace.cli.main import run

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_traces"
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUESTIONS = ("pages", "seconds", "lost", "shares")
Rows = list[tuple[Any, ...]]


def block(name: str) -> str:
    """The fenced block that follows the comment <!-- name -->."""
    match = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert match, name
    return match[1]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder where the README's commands were run, and where its queries are."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "guest.perf.data").symlink_to(SAMPLES / "spe-neoverse-n1" / "spe.perf.data")
    (folder / "host.dat").symlink_to(SAMPLES / "kvm-churn" / "trace.dat")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in block("query folders").splitlines():
            program, *words = shlex.split(line)
            assert (program, run(words)) == ("spetrace", 0)
        yield folder
    finally:
        os.chdir(before)


def by_duckdb() -> dict[str, Rows]:
    statements = block("query duckdb").strip().rstrip(";").split(";")
    return {n: duckdb.sql(s).fetchall() for n, s in zip(QUESTIONS, statements, strict=True)}


def by_python(library: str, rows_of: Callable[[Any], Rows]) -> dict[str, Rows]:
    names: dict[str, Any] = {}
    exec(compile(block(f"query {library}"), f"README: {library}", "exec"), names)
    return {question: rows_of(names[question]) for question in QUESTIONS}


ANSWERS = {
    "duckdb": by_duckdb,
    "polars": lambda: by_python("polars", lambda frame: frame.rows()),
    "pandas": lambda: by_python(
        "pandas", lambda frame: list(frame.itertuples(index=False, name=None))
    ),
    "pyarrow": lambda: by_python(
        "pyarrow", lambda table: list(zip(*table.to_pydict().values(), strict=True))
    ),
}


def expected() -> dict[str, Rows]:
    """The answers by plain Python, from the same files."""
    records = pq.read_table("session/spe_records.parquet").to_pylist()
    waits: dict[int, list[int]] = {}
    for row in records:
        if row["va"] is not None and row["total_latency_cycles"] is not None:
            waits.setdefault(row["va"] & ~4095, []).append(row["total_latency_cycles"])
    pages = sorted((-sum(w), page, len(w)) for page, w in waits.items())[:10]
    seconds: dict[str, int] = {}
    lost: dict[tuple[int, int], int] = {}
    for row in pq.read_table("results/host/blackouts.parquet").to_pylist():
        length = row["end_ns"] - row["start_ns"]
        seconds[row["strategy"]] = seconds.get(row["strategy"], 0) + length
        if row["strategy"] == "map-on-fault":
            key = (row["vcpu"], row["start_ns"] // 10**9)
            lost[key] = lost.get(key, 0) + row["records_lost"]
    shares = [
        (capture, row["strategy"], 100 * row["captured"] / row["records"])
        for capture in ("guest", "host")
        for row in pq.read_table(f"results/{capture}/results.parquet").to_pylist()
        if row["vm"] is None
    ]
    return {
        "pages": [(page, samples, -cycles) for cycles, page, samples in pages],
        "seconds": sorted((name, ns / 1e9) for name, ns in seconds.items()),
        "lost": sorted((*key, records) for key, records in lost.items()),
        "shares": sorted(shares),
    }


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("library", ANSWERS)
def test_queries_of_the_readme_answer(library: str) -> None:
    answers, right = ANSWERS[library](), expected()
    for question in QUESTIONS:
        assert len(right[question]) >= 3
        assert len(answers[question]) == len(right[question]), question
        for row, wanted in zip(answers[question], right[question], strict=True):
            assert len(row) == len(wanted)
            assert all(map(_same, row, wanted)), (library, question, row, wanted)


@pytest.mark.usefixtures("folders")
def test_blackouts_sum_up_to_the_results() -> None:
    """The tables that the queries read agree with the counters of the replay."""
    right = expected()
    totals = {
        row["strategy"]: row
        for row in pq.read_table("results/host/results.parquet").to_pylist()
        if row["vm"] is None
    }
    for name, seconds in right["seconds"]:
        assert _same(seconds, totals[name]["blackout_ns"] / 1e9)
    own = totals["map-on-fault"]
    lost = sum(row[-1] for row in right["lost"])
    assert lost == own["lost_fault"] + own["lost_blackout"] > 0


@pytest.mark.usefixtures("folders")
def test_metadata_query_of_the_readme_answers() -> None:
    query = re.search(r"`(SELECT \* FROM parquet_kv_metadata\(.*?\))`", README)
    assert query
    pairs = {key: value for _file, key, value in duckdb.sql(query[1]).fetchall()}
    assert pairs[b"spetrace.table"] == b"results"
    assert b'"blackout_ns": "ns"' in pairs[b"spetrace.units"]
    assert pairs[b"spetrace.producer"].startswith(b"spetrace ")


@pytest.mark.usefixtures("folders")
def test_comparisons_of_the_readme_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("before", "after"):
        (tmp_path / name).symlink_to(Path("results/host").absolute())
    monkeypatch.chdir(tmp_path)
    for line in block("compare").splitlines():
        program, *words = shlex.split(line, comments=True)
        assert (program, run(words)) == ("spetrace", 0)
        assert "Every counter of every strategy is the same." in capsys.readouterr().out


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return str(found) == wanted
    return math.isclose(float(found), wanted, rel_tol=1e-12)
