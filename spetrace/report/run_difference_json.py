"""Two runs side by side as JSON, exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from spetrace.report.run_difference import CounterDifference, RunDifference
from spetrace.report.run_difference_conditions import Failure

VERSION = 1


def render_difference_json(difference: RunDifference, failed: Sequence[Failure] = ()) -> str:
    """The difference as JSON text: integers are exact; `percent` and `ratio` null where A is 0.

    (`percent` is 0 where both are.)
    """
    report = {
        "version": VERSION,
        "a": difference.names[0],
        "b": difference.names[1],
        "failed": [_failure(each) for each in failed],
        "basis": [asdict(change) for change in difference.basis],
        "fidelity": [
            asdict(each) | {"difference": each.difference} for each in difference.fidelity
        ],
        "only": dict(difference.only),
        "strategies": {
            strategy.name: {c.counter: _counter(c) for c in strategy.counters}
            for strategy in difference.strategies
        },
    }
    return json.dumps(report, indent=1) + "\n"


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "condition": failure.condition,
        "strategy": failure.strategy,
        "counter": failure.difference.counter,
        **_counter(failure.difference),
    }


def _counter(counter: CounterDifference) -> dict[str, Any]:
    return {
        "a": counter.a,
        "b": counter.b,
        "difference": counter.difference,
        "percent": _number(counter.percent),
        "ratio": _number(counter.ratio),
    }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
