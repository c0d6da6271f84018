"""Every Parquet file that the commands write: what its metadata tell, and readers of other versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spetrace
from spetrace import __version__
from spetrace.cli.main import run
from spetrace.errors import InputError
from spetrace.tables.catalog import TABLES
from spetrace.tables.published import render_schema, type_name

SAMPLES = Path(__file__).resolve().parents[1] / "sample_traces"
BOTH = SAMPLES / "spe-on-kvm"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all that ingest, replay, profile, kvm and collect write of one recording."""
    folder = tmp_path_factory.mktemp("written")
    recordings = [str(BOTH / "guest.perf.data"), str(BOTH / "host.dat")]
    toml = ["--session", str(BOTH / "session.toml")]
    session, results = str(folder / "session"), str(folder / "results")
    for words in (
        ["ingest", *recordings, *toml, "--explain", "-o", session],
        ["replay", *recordings, *toml, "--no-buffer-touched", "--outcomes", "-o", results],
        ["profile", session, "-o", str(folder / "profile")],
        ["kvm", session, "-o", str(folder / "kvm")],
        ["collect", f"all={results}", "-o", str(folder / "dataset")],
    ):
        assert run(words) == 0, words
    return folder


def parquet_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Parquet files with the table that each should hold."""
    for path in sorted(folder.rglob("*.parquet")):
        parts = path.relative_to(folder).parts
        if parts[0] == "dataset" or "tracepoints" in parts:
            yield parts[1], path
        else:
            yield path.stem, path


def test_all_files_are_there(written: Path) -> None:
    found = {table for table, _ in parquet_files(written)}
    assert found >= {
        "spe_records", "aux_records", "tracepoints", "kvm_exits", "stage2_faults", "events",
        "quality", "results", "blackouts", "aborts", "pinned", "outcomes", "fidelity", "profile_functions",
        "vm_state", "refaults", "mappings", "threads", "recording_gaps", "spe_register_accesses",
    }  # fmt: skip
    assert found <= set(TABLES)


def test_metadata_tell_table_version_producer_and_units(written: Path) -> None:
    for name, path in parquet_files(written):
        declared, schema = TABLES[name], pq.read_schema(path)
        metadata = {key.decode(): value.decode() for key, value in schema.metadata.items()}
        assert metadata["spetrace.table"] == name, path
        assert metadata["spetrace.version"] == declared.version, path
        assert metadata["spetrace.producer"] == f"spetrace {__version__}", path
        units = json.loads(metadata["spetrace.units"])
        for column in declared.columns:
            if column.name in schema.names:
                field = schema.field(column.name)
                assert type_name(field.type) == type_name(column.type), (path, column.name)
                assert field.nullable == column.nullable, (path, column.name)
                assert field.metadata == column.field().metadata, (path, column.name)
                assert units.get(column.name) == column.unit, (path, column.name)
        keys = {"strategy"} if "dataset" in path.parts else set()
        assert set(schema.names) >= set(declared.names) - keys, path


def test_metadata_are_seen_without_arrow(written: Path) -> None:
    query = f"FROM parquet_kv_metadata('{written}/session/spe_records.parquet')"
    pairs = {bytes(key): bytes(value) for _, key, value in duckdb.sql(query).fetchall()}
    assert pairs[b"spetrace.table"] == b"spe_records"
    assert json.loads(pairs[b"spetrace.units"])["total_latency_cycles"] == "cycles"


def test_columns_of_duckdb_are_those_of_the_published_sql(written: Path) -> None:
    """A table made by the published SQL has the types that DuckDB reads from the file, and takes it."""
    seen = set()
    for name, path in parquet_files(written):
        if name in seen or name == "tracepoints" or "dataset" in path.parts:
            continue
        seen.add(name)
        with duckdb.connect() as connection:
            connection.execute(render_schema(TABLES[name], "sql"))
            columns = ", ".join(f'"{column}"' for column in TABLES[name].names)
            query = f"SELECT {columns} FROM '{path}'"
            made = connection.execute(f'DESCRIBE "{name}"').fetchall()
            read = connection.execute(f"DESCRIBE {query}").fetchall()
            assert [row[:2] for row in made] == [row[:2] for row in read], name
            connection.execute(f'INSERT INTO "{name}" {query}')
            count = connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()
            assert count == [(pq.read_metadata(path).num_rows,)]
    assert len(seen) >= 20


def rewritten(path: Path, version: str, drop: tuple[str, ...] = (), add: bool = False) -> None:
    """Write the table at `path` as another version of spetrace would."""
    table = pq.read_table(path)
    metadata = table.schema.metadata | {b"spetrace.version": version.encode()}
    table = table.drop_columns(list(drop))
    if add:
        table = table.append_column("later", pa.array([1] * len(table)))
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.fixture
def copies(written: Path, tmp_path: Path) -> Path:
    """A copy of the session and the results, to be changed."""
    for name in ("session", "results"):
        (tmp_path / name).mkdir()
        for path in (written / name).glob("*.*"):
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    return tmp_path


READERS = {
    "spe_records": ("session", ["profile"]),
    "mappings": ("session", ["profile"]),
    "threads": ("session", ["profile"]),
    "recording_gaps": ("session", ["profile"]),
    "events": ("session", ["replay"]),
    "quality": ("session", ["replay"]),
    "kvm_exits": ("session", ["kvm"]),
    "stage2_faults": ("session", ["kvm"]),
    "vm_state": ("session", ["kvm"]),
    "refaults": ("session", ["kvm"]),
    "spe_register_accesses": ("session", ["kvm"]),
    "results": ("results", ["compare"]),
    "blackouts": ("results", ["compare"]),
    "aborts": ("results", ["compare"]),
    "pinned": ("results", ["compare"]),
    "outcomes": ("results", ["collect"]),
    "fidelity": ("results", ["compare"]),
}
"""Per table the folder that has it and a command that reads it."""


def words_of(folder: Path, command: list[str]) -> list[str]:
    last = {"compare": [str(folder)], "collect": ["-o", str(folder.parent / "dataset")]}
    return [*command, str(folder), *last.get(command[0], [])]


@pytest.mark.parametrize("name", READERS)
def test_newer_major_version_is_refused_in_a_sentence(
    copies: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, command = READERS[name]
    major = int(TABLES[name].version.partition(".")[0])
    rewritten(copies / folder / f"{name}.parquet", f"{major + 1}.0")
    assert run(words_of(copies / folder, command)) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{name}.parquet" in error
    assert f"is of version {major + 1}.0; this spetrace reads versions up to {major}.x" in error


@pytest.mark.parametrize("name", READERS)
def test_newer_minor_version_is_read(
    copies: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, command = READERS[name]
    assert run(words_of(copies / folder, command)) == 0
    whole = capsys.readouterr().out
    major = TABLES[name].version.partition(".")[0]
    rewritten(copies / folder / f"{name}.parquet", f"{major}.99", add=True)
    assert run(words_of(copies / folder, command)) == 0
    assert capsys.readouterr().out == whole


@pytest.mark.parametrize("name", READERS)
def test_older_minor_version_is_read_with_nulls(
    copies: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns that may be null are missing, as where a later minor version added them."""
    folder, command = READERS[name]
    kept = {"time_ns", "vm", "vcpu", "kind", "total_latency_cycles"}
    # Kinds of events need their fields: `row` stands for a column that came later.
    names = ("row",) if name == "events" else tuple(
        c.name for c in TABLES[name].columns if c.nullable and c.name not in kept
    )  # fmt: skip
    rewritten(copies / folder / f"{name}.parquet", "1.0", drop=names)
    assert run(words_of(copies / folder, command)) == 0, capsys.readouterr().err


def test_frames_of_python_follow_the_versions(copies: Path) -> None:
    path = copies / "session" / "spe_records.parquet"
    rewritten(path, "1.0", drop=("pa_tag", "data_source"))
    frame = spetrace.open_session(copies / "session").spe_records.collect()
    assert frame.select("pa_tag", "data_source").null_count().row(0) == (len(frame), len(frame))
    assert frame["pc"].null_count() < len(frame)
    rewritten(path, "2.0")
    with pytest.raises(InputError, match=r"is of version 2\.0"):
        spetrace.open_session(copies / "session").spe_records.collect()


@pytest.mark.parametrize("name", ["results", "fidelity", "outcomes"])
def test_results_of_a_newer_version_are_refused_in_python(copies: Path, name: str) -> None:
    rewritten(copies / "results" / f"{name}.parquet", "2.0")
    with pytest.raises(InputError, match=rf"{name}\.parquet: .* is of version 2\.0"):
        spetrace.load_results(copies / "results")


@pytest.mark.parametrize("command", ["replay", "profile", "kvm"])
def test_session_of_a_newer_version_is_refused(
    copies: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copies / "session" / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    assert run([command, str(copies / "session")]) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "is of version 2; this spetrace reads versions up to 1" in error


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_event_log_of_a_newer_version_is_refused(
    written: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(written / "session" / "events.parquet")
    metadata = table.schema.metadata | {b"spetrace.version": b"2.0"}
    path = tmp_path / f"events.{suffix}"
    if suffix == "parquet":
        pq.write_table(table.replace_schema_metadata(metadata), path)
    else:
        with pa.ipc.new_file(path, table.schema.with_metadata(metadata)) as writer:
            writer.write_table(table.replace_schema_metadata(metadata))
    assert run(["replay", str(path)]) == 3
    assert "is of version 2.0" in capsys.readouterr().err
