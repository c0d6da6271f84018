"""report.json: every counter of a run, exactly."""

from __future__ import annotations

import json
from typing import Any

from spetrace.report.basis import all_assumptions
from spetrace.report.counters import counters
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.quality import QUALITY
from spetrace.tables.run import Run

VERSION = 1


def render_json(run: Run) -> str:
    """The run as JSON text; integers are exact (pinned_byte_ns can pass 2^63)."""
    report = {
        "version": VERSION,
        "parameters": run.session.get("parameters", {}),
        "assumptions": all_assumptions(run.session),
        "quality": run.quality.select(QUALITY.names).to_pylist(),
        "strategies": _strategies(run),
        "excluded": run.session.get("excluded", {}),
        "fidelity": run.fidelity.select(FIDELITY.names).to_pylist(),
    }
    return json.dumps(report, indent=1) + "\n"


def _strategies(run: Run) -> dict[str, Any]:
    strategies: dict[str, Any] = {}
    for row in run.results.to_pylist():
        strategy = strategies.setdefault(row["strategy"], {"vms": {}, "total": {}})
        if row["vm"] is None:
            strategy["total"] = counters(row)
        else:
            strategy["vms"][str(row["vm"])] = counters(row)
    return strategies
