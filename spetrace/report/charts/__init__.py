"""The charts of a run, a file each: a function from Run to Chart, None where there is nothing to draw."""

from spetrace.report.charts.blackout_lengths import blackout_lengths
from spetrace.report.charts.blackout_timeline import blackout_timeline
from spetrace.report.charts.fidelity_chart import fidelity_chart
from spetrace.report.charts.outcome_bars import outcome_bars
from spetrace.report.charts.pareto import pareto
from spetrace.report.charts.pinned_over_time import pinned_over_time
from spetrace.report.plotly_page import Chart
from spetrace.tables.run import Run

__all__ = [
    "blackout_lengths",
    "blackout_timeline",
    "charts_of",
    "fidelity_chart",
    "outcome_bars",
    "pareto",
    "pinned_over_time",
]

_CHARTS = (
    pareto, pinned_over_time, blackout_timeline, blackout_lengths, outcome_bars, fidelity_chart,
)  # fmt: skip


def charts_of(run: Run) -> list[Chart]:
    """All charts that there is something to draw in, in the page's order."""
    return [chart for make in _CHARTS if (chart := make(run)) is not None]
