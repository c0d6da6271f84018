"""A session folder as the origin of a session: its files are scanned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.api.frames import scan_file
from spetrace.errors import UsageError
from spetrace.session.options import SessionOptions
from spetrace.tables.events import EVENTS
from spetrace.tables.session import Session
from spetrace.tables.table import Table
from spetrace.workflow.pipeline import open_session
from spetrace.workflow.session_folder import (
    DESCRIPTION,
    check_page_size,
    describe_session,
    read_kvm_tables,
    read_session,
)


class FolderOrigin:
    """What `spetrace ingest` wrote."""

    def __init__(self, folder: Path) -> None:
        if (folder / "results.parquet").is_file():
            raise UsageError(f"{folder}: holds a replay's results: spetrace.load_results reads it")
        if not (folder / DESCRIPTION).is_file():
            raise UsageError(f"{folder}: is a folder that spetrace ingest has not written")
        self.paths = [folder]
        self.raw_spe: list[Path] = []
        self.options = SessionOptions()
        self._folder = folder
        self.facts = describe_session(read_session(folder, EVENTS.empty()))

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Per input file of the folder what session.json says."""
        return list(self.facts["inputs"])

    @cached_property
    def tracepoints(self) -> Mapping[str, pl.LazyFrame]:
        """Per tracepoint its file."""
        return TracepointFiles(self._folder / "tracepoints")

    def scan(self, table: Table) -> pl.LazyFrame:
        """The table's file."""
        return scan_file(table, self._folder / f"{table.name}.parquet")

    def replayable(self, parameters: Mapping[str, Any]) -> Session:
        """The folder's session; it was assembled before, so `parameters` change nothing in it.

        Raises UsageError for another page size than that of its events.
        """
        check_page_size(self._session, parameters)
        return self._session

    def kvm_tables(self) -> Mapping[str, pa.Table]:
        """Tables kvm_exits and stage2_faults."""
        return read_kvm_tables(self._folder)

    @cached_property
    def _session(self) -> Session:
        return open_session(self.paths)


class TracepointFiles(Mapping[str, pl.LazyFrame]):
    """The files of a folder by the tracepoints that they hold."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.parquet"))}

    def __getitem__(self, name: str) -> pl.LazyFrame:
        return pl.scan_parquet(self._files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"tracepoints: {', '.join(self)}"
