"""The reports of a sweep in its folder: report.html, report.json and report.txt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from spetrace.report.atomic import write_text
from spetrace.report.sweep_html import render_sweep_html
from spetrace.report.sweep_json import render_sweep_json
from spetrace.report.sweep_text import render_sweep_text
from spetrace.report.sweep_view import view_sweep


def save_sweep_report(totals: pa.Table, facts: Mapping[str, Any], folder: Path) -> None:
    """Write the reports on `totals`, the rows of table runs with vm null, and sweep.json's `facts`.

    Raises OutputError where the system refuses.
    """
    view = view_sweep(totals, facts)
    write_text(render_sweep_json(view, facts), folder / "report.json")
    write_text(render_sweep_text(view), folder / "report.txt")
    write_text(render_sweep_html(view), folder / "report.html")
