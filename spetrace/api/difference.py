"""Two runs side by side."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from spetrace.api.keywords import File
from spetrace.report.run_difference import RunDifference
from spetrace.report.run_difference_conditions import failures, parse_condition
from spetrace.report.run_difference_files import save_difference
from spetrace.report.run_difference_html import render_difference_html
from spetrace.report.run_difference_json import render_difference_json
from spetrace.report.run_difference_text import render_difference_text
from spetrace.workflow.output_folder import output_folder

_SCHEMA = {
    "strategy": pl.String,
    "counter": pl.String,
    "a": pl.Int128,
    "b": pl.Int128,
    "difference": pl.Int128,
    "ratio": pl.Float64,
}


class Difference:
    """How run B differs from run A: what they rest on, and per strategy the counters of both."""

    def __init__(self, difference: RunDifference) -> None:
        self.difference = difference
        """The content of its reports."""

    @property
    def counters(self) -> pl.DataFrame:
        """A row per strategy and counter: a, b, difference (b - a) and ratio (b / a; null from 0)."""
        rows = [
            (s.name, c.counter, c.a, c.b, c.difference, None if c.ratio is None else float(c.ratio))
            for s in self.difference.strategies
            for c in s.counters
        ]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")

    def failures(self, *conditions: str) -> list[str]:
        """A sentence for each condition and strategy that it holds for.

        Conditions are as in `spetrace compare --fail-if`: "captured<-1%". Raises UsageError for one
        that can't be read.
        """
        parsed = [parse_condition(text) for text in conditions]
        return [f"{each.condition}: {each.text}" for each in failures(parsed, self.difference)]

    def report_html(self) -> str:
        """compare.html."""
        return render_difference_html(self.difference)

    def report_json(self) -> str:
        """compare.json."""
        return render_difference_json(self.difference)

    def report_text(self) -> str:
        """compare.txt."""
        return render_difference_text(self.difference)

    def save(self, folder: File) -> None:
        """Write compare.html, compare.json and compare.txt; raises OutputError where refused."""
        with output_folder(Path(folder)) as made:
            save_difference(self.difference, (), made)

    def __repr__(self) -> str:
        return "\n".join([self.difference.title, *self.difference.answer])
