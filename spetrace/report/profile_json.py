"""profile.json: every table of a profile, exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from spetrace.report.profile_labels import function_label, pc_label
from spetrace.tables.profile import Profile

VERSION = 1


def render_profile_json(profile: Profile) -> str:
    """The profile as JSON text: counts, and what places are called (`where`); addresses are numbers.

    Each ranking stands with the number of all that there are (`distinct_`).
    """
    report = {
        "version": VERSION,
        "inputs": profile.inputs,
        "choices": profile.choices,
        "samples": profile.samples,
        "span_ns": profile.span_ns,
        "operations": [
            {"operation": name, "samples": count} for name, count in profile.operations.items()
        ],
        "quality": profile.quality.to_pylist(),
        "gaps": profile.gaps.to_pylist(),
        "assumptions": [asdict(a) for a in profile.assumptions],
        "distinct_functions": profile.distinct_functions,
        "functions": [{"where": function_label(row), **row} for row in _rows(profile.functions)],
        "distinct_pcs": profile.distinct_pcs,
        "pcs": [{"where": pc_label(row), **row} for row in _rows(profile.pcs)],
        "distinct_pages": profile.distinct_pages,
        "pages": _rows(profile.pages),
        "latencies": _rows(profile.latencies),
        "events": _rows(profile.events),
        "cpus": _rows(profile.cpus),
        "rates": _rows(profile.rates),
    }
    return json.dumps(report, indent=1) + "\n"


def _rows(table: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
