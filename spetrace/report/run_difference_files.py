"""The folder of a comparison of two runs: compare.json, compare.txt and compare.html."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spetrace.report.atomic import write_text
from spetrace.report.run_difference import RunDifference
from spetrace.report.run_difference_conditions import Failure
from spetrace.report.run_difference_html import render_difference_html
from spetrace.report.run_difference_json import render_difference_json
from spetrace.report.run_difference_text import render_difference_text


def save_difference(difference: RunDifference, failed: Sequence[Failure], folder: Path) -> None:
    """Write `difference` into `folder`; raises OutputError where the system refuses."""
    write_text(render_difference_json(difference, failed), folder / "compare.json")
    write_text(render_difference_text(difference, failed), folder / "compare.txt")
    write_text(render_difference_html(difference, failed), folder / "compare.html")
