"""A session's frames: of recordings and of the folder made from them the same, and lazy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from builders import spe_load_record
from polars.testing import assert_frame_equal

import spetrace
from spetrace.api import frames
from spetrace.api.notebook import inputs_html
from spetrace.ingest.importer import read_raw_spe
from spetrace.tables.catalog import TABLES
from spetrace.tables.recording import Recording

TRACES = Path(__file__).resolve().parents[2] / "sample_traces"
FRAMES = (
    "spe_records", "events", "quality", "aux_records", "recording_gaps", "mappings", "threads",
    "kvm_exits", "stage2_faults", "spe_register_accesses", "vm_state", "refaults",
)  # fmt: skip


def open_recordings() -> spetrace.Session:
    folder = TRACES / "spe-on-kvm"
    files = [folder / name for name in ("guest.perf.data", "host.dat")]
    return spetrace.open_session(*files, session_toml=folder / "session.toml")


@pytest.fixture(scope="module")
def recorded() -> spetrace.Session:
    return open_recordings()


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> spetrace.Session:
    folder = TRACES / "spe-on-kvm"
    files = [str(folder / name) for name in ("guest.perf.data", "host.dat")]
    output = tmp_path_factory.mktemp("api") / "session"
    return spetrace.ingest(*files, output=output, session_toml=folder / "session.toml")


@pytest.mark.parametrize("name", FRAMES)
def test_frame_is_the_same_of_recordings_and_of_their_folder(
    recorded: spetrace.Session, ingested: spetrace.Session, name: str
) -> None:
    ours, theirs = getattr(recorded, name), getattr(ingested, name)
    assert isinstance(ours, pl.LazyFrame)
    assert ours.collect_schema() == theirs.collect_schema()
    assert list(ours.collect_schema()) == TABLES[name].names
    assert_frame_equal(ours.collect(), theirs.collect())


def test_tracepoints_are_the_same_of_recordings_and_of_their_folder(
    recorded: spetrace.Session, ingested: spetrace.Session
) -> None:
    assert set(recorded.tracepoints) == set(ingested.tracepoints)
    assert len(recorded.tracepoints) == len(ingested.tracepoints)
    for name, frame in recorded.tracepoints.items():
        assert_frame_equal(frame.collect(), ingested.tracepoints[name].collect())
    for session in (recorded, ingested):
        assert "kvm_exit" in repr(session.tracepoints)
        with pytest.raises(KeyError):
            session.tracepoints["none_such"]


def test_counts_are_those_of_the_capture(recorded: spetrace.Session) -> None:
    counts = json.loads((TRACES / "spe-on-kvm" / "counts.json").read_text())
    for name, events in counts["trace-all.dat"].items():
        assert recorded.tracepoints[name].select(pl.len()).collect().item() == events


def test_records_are_decoded_by_the_columns_that_are_used(
    recorded: spetrace.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    spe = recorded.origin.recordings[0].spe
    original = type(spe).batches

    def batches(self, columns=None, source=0, **more):
        asked.append(sorted(columns))
        return original(self, columns, source, **more)

    monkeypatch.setattr(type(spe), "batches", batches)
    whole = recorded.spe_records.collect()
    wanted = recorded.spe_records.filter(pl.col("cpu") == 1).select("pc").collect()
    assert asked[-1] == ["cpu", "pc"]
    assert_frame_equal(wanted, whole.filter(pl.col("cpu") == 1).select("pc"))
    asked.clear()
    assert_frame_equal(
        recorded.spe_records.select("time_ns").head(7).collect(), whole.select("time_ns").head(7)
    )
    assert recorded.spe_records.select(pl.len()).collect().item() == len(whole)
    assert all(len(columns) == 1 for columns in asked)
    grouped = recorded.spe_records.group_by("cpu").agg(pl.len(), pl.col("time_ns").max())
    assert_frame_equal(
        grouped.sort("cpu").collect(engine="streaming"),
        whole.group_by("cpu").agg(pl.len(), pl.col("time_ns").max()).sort("cpu"),
    )


def test_nothing_is_decoded_before_a_frame_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_recordings()
    monkeypatch.setattr("spetrace.api.recordings.assemble_streamed", pytest.fail)
    monkeypatch.setattr("spetrace.api.recordings.session_of", pytest.fail)
    for name in FRAMES:
        getattr(session, name).filter(pl.len() > 0)
    assert list(session.tracepoints)
    assert "guest.perf.data" in repr(session)
    assert "perf.data" in session._repr_html_()


def test_recording_without_spe_has_empty_frames_and_no_replay() -> None:
    session = spetrace.open_session(TRACES / "kvm-known-pages" / "trace.dat")
    for name in ("spe_records", "events", "aux_records"):
        assert getattr(session, name).collect().is_empty()
    assert session.kvm_exits.collect().height > 0
    assert session.quality.collect_schema() == recorded_schema("quality")
    with pytest.raises(spetrace.NothingToReplayError):
        spetrace.replay(session)


def recorded_schema(name: str) -> pl.Schema:
    return pl.DataFrame(TABLES[name].empty()).schema


def test_folder_without_a_table_has_an_empty_frame(tmp_path: Path) -> None:
    output = tmp_path / "session"
    session = spetrace.ingest(TRACES / "kvm-known-pages" / "trace.dat", output=output)
    assert session.spe_records.collect().is_empty()
    assert session.spe_records.collect_schema() == recorded_schema("spe_records")
    with pytest.raises(spetrace.TraceError):
        spetrace.replay(session)


def test_table_of_an_older_minor_version_has_nulls_for_what_it_lacks(tmp_path: Path) -> None:
    session = spetrace.ingest(TRACES / "spe-on-kvm" / "host.dat", output=tmp_path / "session")
    file = tmp_path / "session" / "stage2_faults.parquet"
    table = pq.read_table(file)
    last = table.column_names[-1]
    pq.write_table(table.drop_columns([last]), file)
    frame = session.stage2_faults.collect()
    assert frame[last].is_null().all()
    newer = {**table.schema.metadata, b"spetrace.version": b"2.0"}
    pq.write_table(table.replace_schema_metadata(newer), file)
    with pytest.raises(spetrace.InputError, match=r"stage2_faults.*version 2\.0"):
        session.stage2_faults.collect()


@pytest.mark.parametrize(
    ("files", "keywords", "sentence"),
    [
        ([], {}, "no input"),
        (["kvm-churn"], {}, "has not written"),
        (["missing.dat"], {}, "No such file"),
        (["spe-on-kvm/host.dat"], {"assume_spe": {"period": 1}}, "'period' is none"),
        (["spe-on-kvm/host.dat", "kvm-churn"], {}, "opened alone"),
        (["kvm-churn"], {"clock_offset_ns": 0}, "clock_offset_ns is late"),
    ],
)
def test_wrong_call_is_one_sentence(files: list, keywords: dict, sentence: str) -> None:
    with pytest.raises(spetrace.TraceError, match=sentence):
        spetrace.open_session(*(TRACES / name for name in files), **keywords)


def test_records_are_those_of_the_reference_dump() -> None:
    folder = TRACES / "spe-neoverse-n1"
    with gzip.open(folder / "records.csv.gz", "rt") as dump:
        lines = sum(1 for _ in dump)
    records = spetrace.open_session(folder / "spe.perf.data").spe_records
    assert records.select(pl.len()).collect().item() == lines - 1


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "spe.bin"
    path.write_bytes(b"".join(spe_load_record(1000 + n, 0x4000, 0x8000) for n in range(5)))
    return path


def test_reports_take_files_of_bare_spe_bytes(bare: Path) -> None:
    host = TRACES / "spe-on-kvm" / "host.dat"
    session = spetrace.open_session(host, raw_spe=[bare])
    assert session.profile().samples == 5
    assert session.plot_latencies().data
    assert session.kvm.summary.vms
    assert [Path(i["name"]).name for i in session.inputs] == ["host.dat", "spe.bin"]
    assert spetrace.profile(raw_spe=[bare]).pages["samples"].to_list() == [5]


def test_records_are_counted_where_no_column_is_asked_for(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(frames, "register_io_source", lambda source, **_: read.append(source))
    frames.scan_records([read_raw_spe(bare)], dict)
    assert sum(len(frame) for frame in read[0]([], None, None, None)) == 5


def test_size_that_is_not_known_is_absent() -> None:
    assert "<td>-</td>" in inputs_html([{"name": "a", "format": "text"}], ())
    assert "<td>0</td>" in inputs_html([{"name": "a", "format": "text", "size_bytes": 0}], ())


def test_recording_is_read_as_it_is() -> None:
    recording = spetrace.read_recording(TRACES / "spe-neoverse-n1" / "spe.perf.data")
    assert isinstance(recording, Recording)
    assert recording.spe is not None
