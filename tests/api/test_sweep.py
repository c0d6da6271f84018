"""A sweep in Python is that of the command line."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from polars.testing import assert_frame_equal

import spetrace
from spetrace.cli.main import run as command

LOG = (
    Path(__file__).resolve().parents[2]
    / "sample_traces/scenario-swap-under-the-buffer/events.jsonl"
)
ASKED = {"costs.irq_ns": [500, 10_000], "page_size": [4096]}


def test_sweep_is_that_of_the_command_line(tmp_path: Path) -> None:
    swept = spetrace.sweep(
        groups={"swap": [LOG]}, output=tmp_path / "ours", settings=ASKED,
        strategies=["map-on-fault", "pin-vm"], jobs=1,
    )  # fmt: skip
    grid = [f"--set={name}={','.join(map(str, values))}" for name, values in ASKED.items()]
    names = "--strategy=map-on-fault,pin-vm"
    theirs = tmp_path / "theirs"
    assert (
        command(["sweep", f"--capture=swap={LOG}", *grid, names, "--jobs=1", "-o", str(theirs)])
        == 0
    )
    assert_frame_equal(swept.runs, spetrace.Sweep(theirs).runs)
    assert swept.facts["runs"] == 2
    assert all(isinstance(figure, go.Figure) for figure in swept.plot_effects())
    assert "<html" in swept.report_html()
    assert repr(swept) == (tmp_path / "ours" / "report.txt").read_text(encoding="utf-8")
