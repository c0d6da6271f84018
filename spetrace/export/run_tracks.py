"""What a replay found, strategy by strategy: blackouts, aborts and pinned memory as marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl
import pyarrow as pa

from spetrace.export.columns import ROW, marks_of, timed
from spetrace.export.machines import Machines, vcpu_name, vcpu_rank
from spetrace.export.tracks import Form, Kind, Marks, Track
from spetrace.tables.run import Run

_ADDRESSES: Final = {"va": Form.ADDRESS, "ipa": Form.ADDRESS}
_VCPU: Final = ("strategy", "vm", "vcpu")
_AFTER_VCPUS: Final = 1 << 17


def run_marks(run: Run, machines: Machines, label: str = "") -> Iterator[Marks]:
    """Marks of the tables blackouts, aborts and pinned, below a track per VM and strategy.

    `label` is put before the strategies' names, to tell runs apart.
    """
    strategies = _Strategies(run, machines, label)
    blackouts, aborts, pinned = (_frame(t) for t in (run.blackouts, run.aborts, run.pinned))
    yield marks_of(
        timed(blackouts, "start_ns"),
        Kind.SLICE,
        "replay",
        _VCPU,
        strategies.of_vcpu("blackouts", 0),
        start="start_ns",
        end="end_ns",
        name=pl.format("blackout: {}", pl.col("cause").cast(pl.String)),
        details=_ADDRESSES | {"records_lost": Form.NUMBER, ROW: Form.NUMBER},
    )
    yield marks_of(
        timed(aborts, "ts"),
        Kind.SLICE,
        "replay",
        _VCPU,
        strategies.of_vcpu("stopped by an abort", 1),
        start="ts",
        end="stopped_until_ns",
        name=pl.format("abort: {}", pl.col("reason")),
        details=_ADDRESSES | {"records_discarded": Form.NUMBER, ROW: Form.NUMBER},
    )
    yield marks_of(
        timed(pinned, "ts"),
        Kind.COUNTER,
        "replay",
        ("strategy", "vm"),
        strategies.pinned,
        start="ts",
        value="pinned_bytes",
    )


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table)).with_columns(pl.col("strategy").cast(pl.String))


class _Strategies:
    """The tracks of a run's strategies, in the order of its results."""

    def __init__(self, run: Run, machines: Machines, label: str) -> None:
        self._machines = machines
        self._label = f"{label}: " if label else ""
        names = run.results["strategy"].cast(pa.string()).unique().to_pylist()
        self._ranks = {name: rank for rank, name in enumerate(names)}
        self._facts: dict[str, Any] = run.session.get("strategies", {})

    def group(self, strategy: str, vm: int) -> Track:
        """The track that a strategy's tracks of a VM lie below."""
        return Track(
            f"{self._label}{strategy}",
            parent=self._machines.vm(vm),
            rank=_AFTER_VCPUS + self._ranks.get(strategy, len(self._ranks)),
            doc=str(self._facts.get(strategy, {}).get("doc", "")),
        )

    def of_vcpu(self, what: str, rank: int) -> Callable[[str, int, int], Track]:
        """Makes a vCPU's track below its strategy's."""

        def track(strategy: str, vm: int, vcpu: int) -> Track:
            """The track of one vCPU."""
            name = f"{vcpu_name(vcpu)} {what}"
            return Track(name, self.group(strategy, vm), 1 + 2 * vcpu_rank(vcpu) + rank)

        return track

    def pinned(self, strategy: str, vm: int) -> Track:
        """The counter of pinned bytes."""
        return Track("pinned", self.group(strategy, vm), unit="bytes")
