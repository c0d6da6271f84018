"""Where an input's bytes come from: files, pipes and stdin; and bare SPE bytes."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from builders import spe_load_record
from builders_perf_data import spe_perf_data

from spetrace.errors import InputError
from spetrace.ingest.importer import map_file, read_raw_spe, read_recording
from spetrace.ingest.perf_data.abi import Feature
from spetrace.tables.recording import Recording
from spetrace.tables.spe_records import SPE_RECORDS

STDIN = Path("-")
RECORDS = spe_load_record(1000, 0x4000, 0x8000) + spe_load_record(2000, 0x4004, 0x9000)


def perf_data() -> bytes:
    file = spe_perf_data()
    file.records += [file.aux(0, len(RECORDS)), file.auxtrace(0, RECORDS)]
    return file.build()


def rows(recording: Recording) -> pl.DataFrame:
    assert recording.spe is not None
    batches = [batch for _, batch in recording.spe.batches()]
    return pl.DataFrame(pa.Table.from_batches(batches, SPE_RECORDS.schema))


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(request.param)))


@pytest.mark.parametrize("stdin", [perf_data()], indirect=True)
@pytest.mark.usefixtures("stdin")
def test_stdin_is_read_as_the_file() -> None:
    recording = read_recording(STDIN)
    assert recording.name == "<stdin>"
    assert recording.size_bytes == len(perf_data())
    assert recording.sha256 == hashlib.sha256(perf_data()).hexdigest()
    assert rows(recording)["pc"].to_list() == [0x4000, 0x4004]


@pytest.mark.parametrize(
    ("stdin", "cause"),
    [(b"", "is empty"), (b"nothing of the kind\n", "no format"), (b"PERFILE2", "needs 8 bytes")],
    indirect=["stdin"],
)
@pytest.mark.usefixtures("stdin")
def test_messages_about_stdin_name_it(cause: str) -> None:
    with pytest.raises(InputError, match=rf"^<stdin>: .*{cause}"):
        read_recording(STDIN)


def test_closed_stdin_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="<stdin>: file: is no pipe"):
        map_file(STDIN)


def test_named_pipe_is_read_as_the_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(perf_data(),))
    writer.start()
    recording = read_recording(fifo)
    writer.join()
    assert recording.name == str(fifo)
    assert recording.sha256 == hashlib.sha256(perf_data()).hexdigest()
    assert len(rows(recording)) == 2


def test_file_is_not_hashed_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "perf.data").write_bytes(perf_data())
    assert read_recording(tmp_path / "perf.data").sha256 is None


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_devices_are_refused(path: str) -> None:
    with pytest.raises(InputError, match=f"{path}: file: is a device"):
        read_recording(Path(path))


def test_folder_of_perf_data_files_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory, not a recording"):
        read_recording(tmp_path)
    for name, said in (
        ("session.json", "is a session folder"),
        ("results.parquet", "holds results"),
    ):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match=said):
            read_recording(tmp_path)
    file = spe_perf_data()
    file.features[Feature.DIR_FORMAT] = file.pack("Q", 1)
    (tmp_path / "data").write_bytes(file.build())
    with pytest.raises(InputError, match=f"perf record --kcore: give .* {tmp_path / 'data'}"):
        read_recording(tmp_path)
    (tmp_path / "data.0").touch()
    for path in (tmp_path, tmp_path / "data"):
        with pytest.raises(InputError, match=r"perf record --threads"):
            read_recording(path)


def test_raw_spe_is_one_stream_of_nobody(tmp_path: Path) -> None:
    path = tmp_path / "spe.data"
    path.write_bytes(RECORDS + RECORDS[:14])
    recording = read_raw_spe(path)
    found = rows(recording)
    assert found["pc"].to_list() == [0x4000, 0x4004]
    assert found["timestamp_ticks"].to_list() == [1000, 2000]
    assert found["aux_offset"].to_list() == [0, 64]
    for column in ("cpu", "tid", "time_ns"):
        assert found[column].null_count() == 2
    assert recording.quality.counts == {"spe_cut_records": 1}
    assert recording.spe is not None
    assert len(recording.spe.aux_records) == 0
    assert [bytes(data) for segment in recording.spe.segments(0) for _, data in segment] == [
        path.read_bytes()
    ]


def test_raw_spe_counts_its_losses_once(tmp_path: Path) -> None:
    path = tmp_path / "spe.data"
    path.write_bytes(RECORDS[:73])
    recording = read_raw_spe(path)
    assert rows(recording).equals(rows(recording))
    assert recording.quality.counts == {"spe_cut_records": 1}


@pytest.mark.parametrize("content", [b"", None])
def test_raw_spe_without_bytes_is_an_input_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "spe.data"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"spe\.data: "):
        read_raw_spe(path)


def test_raw_captures_hold_the_records_that_perf_finds(shared: Path) -> None:
    folder = shared / "captures" / "spe-real"
    for path in sorted((folder / "raw").iterdir()):
        told = (folder / "expected" / f"{path.name}.records73.csv").read_text().splitlines()[1:]
        assert len(rows(read_raw_spe(path))) == len(told), path.name
