"""What one replay produced, with what it rests on: the value that is saved and then shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.quality import QUALITY
from spetrace.tables.results import ABORTS, BLACKOUTS, OUTCOME, PINNED, RESULTS


@dataclass
class Run:
    """A replay of one session under several strategies."""

    results: pa.Table = field(default_factory=RESULTS.empty)
    """Table results: per strategy (in the order asked for) its VMs, then its total (vm null)."""
    blackouts: pa.Table = field(default_factory=BLACKOUTS.empty)
    aborts: pa.Table = field(default_factory=ABORTS.empty)
    pinned: pa.Table = field(default_factory=PINNED.empty)
    outcomes: pa.Table | None = None
    """None where it was not asked for, or is not in memory."""
    outcome_batches: Callable[[], Iterator[pa.RecordBatch]] | None = None
    """Gives table outcomes in batches where it was asked for and is not in memory."""
    fidelity: pa.Table = field(default_factory=FIDELITY.empty)
    """Empty where there were no SPE records to compare."""
    quality: pa.Table = field(default_factory=QUALITY.empty)
    session: dict[str, Any] = field(default_factory=dict)
    """session.json of the results folder: `version` 1, `command` (the command line), `inputs`
    [{name, format, size_bytes, sha256}], `parameters` (the replay's, by name, costs nested),
    `assumptions` [{name, value, text}], `costs` [CostBasis as an object], `excluded` {strategy: reason}, `strategies` {name: {doc,
    origin, requires, bound}} (bound: "upper", "lower" or null), `span_ns`, `versions` {spetrace,
    python, ...}."""

    def iter_outcomes(self) -> Iterator[pa.RecordBatch] | None:
        """Table outcomes in batches; None where it was not asked for."""
        if self.outcome_batches is not None:
            return self.outcome_batches()
        return None if self.outcomes is None else iter(self.outcomes.to_batches())

    def hold_outcomes(self) -> None:
        """Take table outcomes into memory."""
        if self.outcome_batches is not None:
            self.outcomes = pa.Table.from_batches(self.outcome_batches(), OUTCOME.schema)
            self.outcome_batches = None
