"""Profile fidelity of a replayed session: its SPE records, read once more, as measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import InputError
from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import Measure
from spetrace.fidelity.noise import DRAWS, SEED
from spetrace.fidelity.records import CountedRecords
from spetrace.fidelity.survival import Survival
from spetrace.profile.samples import Samples
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.replay.record_outcomes import RecordOutcomes
from spetrace.replay.window_maker import NO_ROW
from spetrace.report.parquet import check_file
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.recording import Recording
from spetrace.tables.session import Assumption, Session
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS
from spetrace.workflow.fidelity_places import pc_places
from spetrace.workflow.profile_inputs import open_profile, scan_recordings
from spetrace.workflow.session_records import SPE_FILE

_EVENT_LOG: Final = "event log"
_ROWS_PER_BYTE: Final = 64
"""More rows than this in a byte no table has."""
_UNTOLD: Final = "the event log doesn't tell of each record which of the SPE records it is"
_SEED: Final = Assumption(
    "fidelity-seed",
    str(SEED),
    f"Profile fidelity is compared with {DRAWS} random losses of the same size, drawn by this seed.",
)


class SessionFidelity(NamedTuple):
    """Table fidelity, what it rests on, and why it is empty where it is."""

    table: pa.Table
    assumptions: tuple[Assumption, ...] = ()
    left_out: str = ""


def recordings_of(recordings: Sequence[Recording]) -> list[Recording]:
    """What a session keeps of its inputs to read their records once more."""
    return [replace(r, tracepoints={}, events=None, parameters={}) for r in recordings]


def why_without(session: Session) -> str:
    """Why a session has no records to compare; empty where it has some."""
    if any(str(i.get("format", "")).startswith(_EVENT_LOG) for i in session.inputs):
        return "records come from an event log, which doesn't tell where they were sampled"
    if session.folder is not None and not (session.folder / SPE_FILE).is_file():
        return f"the session folder holds no {SPE_FILE}"
    if session.folder is None and not any(r.spe for r in session.recordings):
        return "the inputs hold no SPE records"
    return ""


def session_fidelity(session: Session, outcomes: RecordOutcomes) -> SessionFidelity:
    """Compare what survives each strategy with all records of a session that has some."""
    try:
        survival = _survival(outcomes, _most_rows(session))
        if survival is None:
            return _without(_UNTOLD)
        measures, assumptions = _measures(_samples(session), survival)
    except InputError as error:
        return _without(str(error))
    if not measures:
        return _without(_UNTOLD)
    return SessionFidelity(build_fidelity(measures, survival.marks().lost), (_SEED, *assumptions))


def _without(why: str) -> SessionFidelity:
    return SessionFidelity(FIDELITY.empty(), left_out=why)


def _survival(outcomes: RecordOutcomes, most_rows: int) -> Survival | None:
    """Which strategies each record survives; None where a row can't be that of a record."""
    survival = Survival()
    for window in outcomes.by_window():
        if int(window.rows.max(initial=0)) >= most_rows:
            return None
        survival.add(window.rows, window.codes)
    return survival


def _most_rows(session: Session) -> int:
    """More than the table spe_records of the session has; a folder's log may say anything."""
    if session.folder is None:
        return NO_ROW
    path = session.folder / SPE_FILE
    check_file(SPE_RECORDS, path)
    return min(int(pq.read_metadata(path).num_rows), path.stat().st_size * _ROWS_PER_BYTE)


def _samples(session: Session) -> Samples:
    if session.folder is not None:
        return open_profile([session.folder]).samples
    recordings = session.recordings
    return Samples(
        scan_recordings(recordings),
        _joined(MAPPINGS, [r.mappings for r in recordings]),
        _joined(THREADS, [r.threads for r in recordings]),
        sources=len(recordings),
    )


def _joined(table: Table, frames: Sequence[pl.DataFrame | None]) -> pl.DataFrame:
    """The inputs' tables as one."""
    parts = [
        table.from_polars(frame.with_columns(pl.lit(source, pl.UInt16).alias("source")))
        for source, frame in enumerate(frames)
        if frame is not None
    ]
    return pl.DataFrame(pl.from_arrow(pa.concat_tables(parts) if parts else table.empty()))


def _measures(samples: Samples, survival: Survival) -> tuple[list[Measure], list[Assumption]]:
    """All measures of the replayed records, in their order; none where these can't be told."""
    counted = CountedRecords(survival)
    places = pc_places(samples, SymbolFiles())
    for frame in samples.frames(places.columns):
        counted.add(frame, places.pc, places.owner)
    if not survival.are_distinct(counted.records):
        return [], []
    pc, notes = places.measure(counted.pcs.take())
    return [pc, *counted.measures()], notes
