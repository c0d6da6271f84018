"""Profile fidelity of a replayed session: its SPE records, read once more, as measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.errors import InputError
from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import Measure, Places
from spetrace.fidelity.noise import DRAWS, SEED
from spetrace.fidelity.records import CollectedRecords
from spetrace.profile.samples import Samples
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.replay.outcomes import RecordOutcomes
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.recording import Recording
from spetrace.tables.session import Assumption, Session
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS
from spetrace.workflow.fidelity_places import pc_places
from spetrace.workflow.profile_inputs import SPE_FILE, open_profile, scan_recordings

_EVENT_LOG: Final = "event log"
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
        samples = _samples(session)
        measures, assumptions = _measures(samples, outcomes)
    except InputError as error:
        return SessionFidelity(FIDELITY.empty(), left_out=str(error))
    if not measures:
        return SessionFidelity(FIDELITY.empty(), left_out=_UNTOLD)
    return SessionFidelity(build_fidelity(measures, outcomes.codes), (_SEED, *assumptions))


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


def _measures(samples: Samples, outcomes: RecordOutcomes) -> tuple[list[Measure], list[Assumption]]:
    """All measures of the replayed records, in their order; none where these can't be told."""
    collected = CollectedRecords()
    places = pc_places(samples, SymbolFiles())
    for frame in samples.frames(places.columns):
        collected.add(frame, places.pc, places.owner)
    if not _are_distinct(outcomes.rows, collected.records):
        return [], []
    rows = outcomes.rows.view(np.int64)
    pc, notes = places.measure(collected.pcs.take())
    return [pc.at(rows), *(measure.at(rows) for measure in collected.take_measures())], notes


def _are_distinct(rows: Places, records: int) -> bool:
    """Whether each row is another one of `records`."""
    if not len(rows) or int(rows.max()) >= records:
        return False
    seen = np.zeros(records, np.bool_)
    seen[rows] = True
    return int(np.count_nonzero(seen)) == len(rows)
