"""Recordings as the origin of a session: they are read at once, and decoded when asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl
import pyarrow as pa

from spetrace.api.frames import deferred, scan_records
from spetrace.api.keywords import File, SessionKeywords, session_options
from spetrace.errors import NothingToReplayError
from spetrace.ingest import importer
from spetrace.session.assemble import assemble_kvm_tables, assemble_streamed
from spetrace.session.options import ASSEMBLED_WITH, SessionOptions
from spetrace.tables.events import EVENTS
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording import Recording
from spetrace.tables.session import Session as AssembledSession
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table
from spetrace.tables.tracepoint_frames import frames_of
from spetrace.workflow.pipeline import ingest_files, read_all, session_of
from spetrace.workflow.session_folder import describe_session, quality_table

if TYPE_CHECKING:
    from spetrace.api.session import Session


class RecordingOrigin:
    """Recordings that are put on one clock when the first table that needs it is collected."""

    def __init__(
        self, paths: Sequence[Path], options: SessionOptions, raw_spe: Sequence[Path] = ()
    ) -> None:
        self.paths = list(paths)
        self.raw_spe = list(raw_spe)
        self.options = options
        self.recordings = read_all(paths, raw_spe=raw_spe)
        self._sessions: dict[str, AssembledSession] = {}

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Per recording its name, format and size."""
        return [
            {"name": r.name, "format": r.format, "size_bytes": r.size_bytes}
            for r in self.recordings
        ]

    @property
    def facts(self) -> dict[str, Any]:
        """What session.json would say."""
        return describe_session(self._described)

    @cached_property
    def tracepoints(self) -> Mapping[str, pl.LazyFrame]:
        """Per tracepoint its events."""
        return DecodedTracepoints(self.recordings, lambda: self._described.tracepoints)

    def scan(self, table: Table) -> pl.LazyFrame:
        """A table that is made when it is collected."""
        if table is SPE_RECORDS:
            return scan_records(self.recordings, self._offsets)
        special = {EVENTS.name: self._events, QUALITY.name: self._quality}
        make = special.get(
            table.name, lambda: self._described.tables.get(table.name, table.empty())
        )
        return deferred(make, table.empty)

    def replayable(self, parameters: Mapping[str, Any]) -> AssembledSession:
        """The session with its event log, kept until other `parameters` change it."""
        names = (*ASSEMBLED_WITH, "vms")
        own = {name: parameters[name] for name in names if name in parameters}
        key = json.dumps(own, sort_keys=True)
        if key not in self._sessions:
            options = replace(self.options, parameters=own or None)
            files = [*self.paths, *self.raw_spe]
            self._sessions = {key: session_of(self.recordings, files, options)}
        return self._sessions[key]

    def kvm_tables(self) -> Mapping[str, pa.Table]:
        """Tables kvm_exits and stage2_faults."""
        return assemble_kvm_tables(self.recordings, self.options).tables

    @cached_property
    def _described(self) -> AssembledSession:
        """The session with all its tables, its event log not yet made."""
        return assemble_streamed(self.recordings, self.options)

    def _offsets(self) -> dict[int, int]:
        return {c["source"]: c.get("offset_ns") or 0 for c in self._described.clocks}

    def _events(self) -> pa.Table:
        try:
            return self.replayable({}).events
        except NothingToReplayError:
            return EVENTS.empty()

    def _quality(self) -> pa.Table:
        """What was lost, once all was read."""
        try:
            return quality_table(self.replayable({}).quality)
        except NothingToReplayError:
            return quality_table(self._described.quality)


class DecodedTracepoints(Mapping[str, pl.LazyFrame]):
    """The tracepoints of recordings; one is decoded when its frame is asked for columns or rows."""

    def __init__(
        self, recordings: Sequence[Recording], tables: Callable[[], Mapping[str, pa.Table]]
    ) -> None:
        counts = [frames_of(recording.tracepoints).counts for recording in recordings]
        self._names = list(dict.fromkeys(name for names in counts for name in names))
        self._tables = tables
        self._made: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pl.LazyFrame:
        if name not in self._names:
            raise KeyError(name)
        return deferred(lambda: self._table(name), lambda: self._table(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"tracepoints: {', '.join(self)}"

    def _table(self, name: str) -> pa.Table:
        if name not in self._made:
            self._made[name] = self._tables()[name]
        return self._made[name]


def read_recording(file: File) -> Recording:
    """One file as it is: its tracepoints, mappings, threads and SPE data, on its own clock.

    Its content decides the format. Raises InputError where it can't be read.

    >>> import spetrace
    >>> recording = spetrace.read_recording("sample_traces/spe-neoverse-n1/spe.perf.data")
    >>> recording.format, recording.spe.stream_cpus
    ('perf.data', [0, 1])
    """
    return importer.read_recording(Path(file))


def ingest(
    *files: File,
    output: File,
    raw_spe: Iterable[File] = (),
    explained: bool = False,
    **options: Unpack[SessionKeywords],
) -> Session:
    """Write a session folder from recordings, and open it: every table as a Parquet file.

    `raw_spe` are files of bare SPE bytes; `explained` adds SPE codes in words; `options` are those of
    `spetrace.open_session`. Raises TraceError and its children; nothing is left in `output` then.

    >>> import spetrace, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     session = spetrace.ingest(
    ...         "sample_traces/spe-neoverse-n1/spe.perf.data", output=folder, explained=True
    ...     )
    ...     session.spe_records.select("operation_name").head(2).collect().rows()
    [('B COND',), ('OTHER INSN-OTHER',)]
    """
    from spetrace.api.session import open_session

    paths, raw = [Path(file) for file in files], [Path(file) for file in raw_spe]
    folder = Path(output)
    ingest_files(paths, folder, session_options(options), raw_spe=raw, explained=explained)
    return open_session(folder)
