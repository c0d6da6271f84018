"""The tables that a recording tells by itself: AUX records, mappings, threads, gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl
import pyarrow as pa

from spetrace.session.choices import Choices
from spetrace.session.clocks import Alignment, has_one_clock
from spetrace.session.recording_gaps import recording_gaps
from spetrace.session.spe_guests import area_bytes
from spetrace.session.spe_survey import SpeSurvey
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.recording import Recording
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS

_TIMES = ("time_ns", "start_ns", "end_ns")


def recording_tables(
    recordings: Sequence[Recording],
    alignments: Mapping[int, Alignment],
    choices: Choices,
    surveys: Mapping[int, SpeSurvey] | None = None,
) -> dict[str, pa.Table]:
    """Tables aux_records, recording_gaps, mappings and threads of all inputs, those that they give.

    Times are on the session's clock. `surveys` are those of SPE recordings; they are made where
    there are none.
    """
    of_recording: dict[Table, Callable[[Recording], pl.DataFrame | None]] = {
        AUX_RECORDS: lambda recording: recording.spe.aux_records if recording.spe else None,
        MAPPINGS: lambda recording: recording.mappings,
        THREADS: lambda recording: recording.threads,
    }
    frames = {t: [of(recording) for recording in recordings] for t, of in of_recording.items()}
    made = surveys or {}
    frames[RECORDING_GAPS] = [
        _gaps(recording, choices, made.get(source)) for source, recording in enumerate(recordings)
    ]
    tables = {table: _joined(table, of_each, alignments) for table, of_each in frames.items()}
    return {table.name: joined for table, joined in tables.items() if joined is not None}


def _joined(
    table: Table, frames: Sequence[pl.DataFrame | None], alignments: Mapping[int, Alignment]
) -> pa.Table | None:
    parts = [
        table.from_polars(_placed(source, frame, alignments.get(source)))
        for source, frame in enumerate(frames)
        if frame is not None
    ]
    return pa.concat_tables(parts) if parts else None


def _placed(source: int, frame: pl.DataFrame, alignment: Alignment | None) -> pl.DataFrame:
    """The rows with their input, their times moved as those of its SPE records are."""
    offset = alignment.offset_ns if alignment else 0
    times = [pl.col(name) + offset for name in _TIMES if name in frame.columns]
    return frame.with_columns(pl.lit(source, pl.UInt16).alias("source"), *times)


def _gaps(recording: Recording, choices: Choices, made: SpeSurvey | None) -> pl.DataFrame | None:
    spe = recording.spe
    if spe is None or not len(spe.aux_records):
        return None
    area, one_clock = area_bytes(spe, choices.aux_bytes), has_one_clock(recording)
    if made is None:
        return recording_gaps(spe, area, choices.page_size, one_clock=one_clock)
    return made.gaps.gaps(area, choices.page_size, one_clock=one_clock)
