"""A session folder's event log piece by piece: the same events as the whole, or the same complaint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli.command import SAMPLES

from spetrace.errors import InputError
from spetrace.ingest.importer import read_recording
from spetrace.report.atomic import write_table
from spetrace.tables.events import EVENTS
from spetrace.workflow.stored_events import iter_events, read_events

LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


@pytest.fixture(scope="module")
def events() -> pa.Table:
    log = read_recording(LOG).events
    assert log is not None
    return log


def pieces(path: Path) -> pa.Table:
    return pa.Table.from_batches(iter_events(path), EVENTS.schema).unify_dictionaries()


def frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(table).with_columns(pl.col(pl.Categorical).cast(pl.String))


def without_rows(events: pa.Table) -> pa.Table:
    place = EVENTS.names.index("row")
    return events.set_column(place, EVENTS.schema.field(place), pa.nulls(len(events), pa.uint64()))


def late(events: pa.Table) -> pa.Table:
    return events.take(np.roll(np.arange(len(events)), 3))


def foreign(events: pa.Table) -> pa.Table:
    return events.drop_columns(["row", "tables"]).set_column(
        0, "ts", pa.array([hex(ts) for ts in events["ts"].to_pylist()])
    )


@pytest.mark.parametrize(
    ("change", "is_held"),
    [(lambda events: events, False), (without_rows, False), (late, True), (foreign, True)],
)
def test_pieces_are_the_whole(
    events: pa.Table, tmp_path: Path, change: Callable[[pa.Table], pa.Table], is_held: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "events.parquet"
    write_table(change(events), path)
    held: list[Path] = []

    def read(path: Path) -> pa.Table:
        held.append(path)
        return read_events(path)

    monkeypatch.setattr("spetrace.workflow.stored_events.read_events", read)
    assert frame(pieces(path)).equals(frame(read_events(path)))
    assert len(held) == is_held


def test_event_that_is_none_is_refused_when_it_is_reached(events: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    place = EVENTS.names.index("bytes")
    nothing = pa.nulls(len(events), pa.uint32())
    write_table(events.set_column(place, EVENTS.schema.field(place), nothing), path)
    with pytest.raises(InputError, match=r"events\.parquet.*row \d+: bytes of spe_record"):
        pieces(path)
    with pytest.raises(InputError) as whole:
        read_events(path)
    with pytest.raises(InputError) as cut:
        pieces(path)
    assert str(whole.value) == str(cut.value)


def test_damaged_file_is_refused(events: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    write_table(events, path)
    data = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"events\.parquet"):
        pieces(path)
