"""Chart: memory pinned over time, a line per strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from spetrace.report.charts.pinned_lines import VMS_MAX, PinnedLine, PinnedPart, pinned_parts
from spetrace.report.charts.scales import BrokenLog, TimeScale, broken_log, size_axis, time_scale
from spetrace.report.charts.series import lines_of
from spetrace.report.counters import vms_of
from spetrace.report.plotly_page import Chart, Choice
from spetrace.report.units import render_size
from spetrace.report.wording import join_names
from spetrace.tables.run import Run


def pinned_over_time(run: Run) -> Chart | None:
    """Step lines of pinned memory, selectable by VM; None where nothing is ever pinned."""
    parts = pinned_parts(run)
    if not parts:
        return None
    drawn = [line for part in parts for line in part.lines]
    scale = broken_log(sorted({n for line in drawn for n in np.unique(line.pinned_bytes)}), 2)
    times = time_scale(run, np.concatenate([line.times_ns for line in drawn]))
    styles = lines_of(run)
    traces = [_trace(line, styles[line.names[0]], scale, times) for line in drawn]
    several = len(parts) > 1
    return Chart(
        name="pinned",
        title="Pinned memory over time",
        alt="Pinned memory over time, a step line per strategy",
        caption=" ".join(_caption(run, parts)),
        traces=traces,
        layout={
            "xaxis": times.axis(),
            "yaxis": size_axis(scale)
            | {"title": {"text": "pinned memory"}, "range": [-0.3, scale.end + 0.3]},
        },
        height=440,
        choices=tuple(_choices(parts)) if several else (),
        asked="VM" if several else "",
    )


def _trace(
    line: PinnedLine, style: dict[str, str], scale: BrokenLog, times: TimeScale
) -> dict[str, Any]:
    """From the session's start, with nothing pinned, to its end."""
    seconds = times.seconds(line.times_ns).tolist()
    pinned = [0, *line.pinned_bytes.tolist()]
    pinned.append(pinned[-1])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _name(line.names),
        "x": [min([0.0, *seconds[:1]]), *seconds, max([times.seconds_end, *seconds[-1:]])],
        "y": scale.positions(pinned).tolist(),
        "text": [render_size(each) for each in pinned],
        "line": {"shape": "hv", "width": 2, **style},
        "hovertemplate": f"%{{x}}: %{{text}}<br>{'<br>'.join(map(escape, line.names))}"
        "<extra></extra>",
    }


def _name(names: Sequence[str]) -> str:
    return escape(", ".join(names) if len(names) < 3 else f"{names[0]} +{len(names) - 1}")


def _choices(parts: Sequence[PinnedPart]) -> Iterator[Choice]:
    first = 0
    for part in parts:
        after = first + len(part.lines)
        yield Choice(part.title, tuple(range(first, after)), _reduced(part))
        first = after


def _caption(run: Run, parts: Sequence[PinnedPart]) -> Iterator[str]:
    yield "The scale is logarithmic, with 0 set apart."
    if same := [join_names(line.names) for line in parts[0].lines if len(line.names) > 1]:
        yield f"One line each stands for {'; '.join(same)}."
    if len(parts) == 1 and (reduced := _reduced(parts[0])):
        yield f"{reduced}."
    vms = len(vms_of(run))
    if 1 < len(parts) <= vms:
        yield f"{len(parts) - 1} of {vms} VMs can be chosen: the first {VMS_MAX} with pinned memory."


def _reduced(part: PinnedPart) -> str:
    """How many of the changes are drawn, where not all are."""
    drawn = sum(len(line.times_ns) for line in part.lines)
    changes = sum(line.changes for line in part.lines)
    if drawn == changes:
        return ""
    return (
        f"{drawn:,} of {changes:,} changes drawn: of each stretch of changes the first, the last, "
        "the lowest and the highest"
    )
