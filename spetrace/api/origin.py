"""Where a session's tables come from: what a Session asks of recordings and of a folder alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from spetrace.session.options import SessionOptions
from spetrace.tables.session import Session
from spetrace.tables.table import Table


class Origin(Protocol):
    """Recordings or a session folder."""

    @property
    def paths(self) -> Sequence[Path]:
        """What was opened, but for `raw_spe`."""

    @property
    def raw_spe(self) -> Sequence[Path]:
        """The files of bare SPE bytes that were opened."""

    @property
    def options(self) -> SessionOptions:
        """What was said beside the files."""

    @property
    def facts(self) -> dict[str, Any]:
        """session.json: inputs, clocks, machines, parameters, assumptions."""

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Per input file its name, format and more, without anything being decoded."""

    @property
    def tracepoints(self) -> Mapping[str, pl.LazyFrame]:
        """Per tracepoint its events."""

    def scan(self, table: Table) -> pl.LazyFrame:
        """A table; no rows where the inputs don't give it."""

    def replayable(self, parameters: Mapping[str, Any]) -> Session:
        """The session with its event log in memory, for a replay with `parameters`.

        Raises NothingToReplayError where there is no event.
        """

    def kvm_tables(self) -> Mapping[str, pa.Table]:
        """Tables kvm_exits and stage2_faults, where the inputs give them."""
