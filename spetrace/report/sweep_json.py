"""report.json of a sweep: effects, flips and percentiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spetrace.report.sweep_measures import MEASURES
from spetrace.report.sweep_view import SweepView

VERSION = 1


def render_sweep_json(view: SweepView, facts: Mapping[str, Any]) -> str:
    """The report as JSON text."""
    report = {
        "version": VERSION,
        "settings": facts.get("settings", {}),
        "placements": facts.get("placements", 0),
        "answer": list(view.answer),
        "measures": {m.name: {"title": m.title, "unit": m.unit} for m in MEASURES},
        "effects": [
            {
                "capture": e.capture, "strategy": e.strategy, "measure": e.measure.name,
                "parameter": e.parameter, "low": e.low, "low_at": e.low_at, "high": e.high,
                "high_at": e.high_at, "middle": e.middle, "widest": e.widest,
            }
            for e in view.effects
        ],
        "flips": [
            {
                "capture": f.capture, "measure": f.measure.name, "parameter": f.parameter,
                "better_before": f.better_before, "better_after": f.better_after,
                "before": f.before, "after": f.after, "settings": f.settings,
                "of_settings": f.of_settings,
            }
            for f in view.flips
        ],
        "percentiles": [
            {
                "capture": p.capture, "strategy": p.strategy, "point": dict(p.point),
                "placements": p.placements,
                **{name: vars(spread) for name, spread in p.spreads.items()},
            }
            for p in view.percentiles
        ],
    }  # fmt: skip
    return json.dumps(report, indent=1) + "\n"
