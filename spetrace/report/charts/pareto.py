"""Chart: captured records against the peak of pinned memory, with the Pareto front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final

from spetrace.report.charts.label_places import Line, Point, place_labels
from spetrace.report.charts.scales import BrokenLog, broken_log, size_axis
from spetrace.report.charts.standings import Standing, standings_of
from spetrace.report.plotly_page import PALETTE, Chart
from spetrace.report.units import render_share, render_size, render_time
from spetrace.report.wording import join_names
from spetrace.tables.run import Run

_HEIGHT, _ABOVE, _BELOW = 520, 32, 64
_NAMES_MAX: Final = 6
_PAD: Final = 0.07
_STYLES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "front": ("Pareto front", {"color": PALETTE[0], "size": 12}),
    "dominated": ("dominated", {"color": "--soft", "size": 9, "opacity": 0.55}),
    "bound": ("bound", {"color": "--soft", "size": 11, "symbol": "diamond-open", "line": {"width": 2}}),
}  # fmt: skip


def pareto(run: Run) -> Chart | None:
    """Strategies by captured records and peak pinned memory; None where there are no records."""
    standings = standings_of(run)
    best = max((s.captured + s.missed for s in standings), default=0)
    if not best:
        return None
    pinned = broken_log([s.pinned_bytes for s in standings], 2)
    missed = broken_log([best, *(s.missed for s in standings)], 10)
    axes = _Axes(pinned, missed, best)
    front = [name for s in standings if s.kind == "front" for name in s.names]
    return Chart(
        name="pareto",
        title="Captured records and peak pinned memory",
        alt="Captured records against the peak of pinned memory. On the Pareto front: "
        f"{join_names(front) or 'none'}.",
        caption="Up is more records, left is less memory. Both scales are logarithmic (the upright "
        "one in what is missed), with 0 pinned and nothing missed set apart. Strategies on the "
        "Pareto front have none beside them that captures more and pins no more; bounds apart.",
        traces=list(_traces(standings, axes)),
        layout=_layout(standings, axes),
        height=_HEIGHT,
    )


class _Axes:
    """Positions of standings on both axes, and their ranges with room for marks."""

    def __init__(self, pinned: BrokenLog, missed: BrokenLog, best: int) -> None:
        self.pinned, self.missed, self.best = pinned, missed, best
        across, upright = _PAD * pinned.end, _PAD * missed.end
        self.x_range = (-across, pinned.end + across)
        self.y_range = (float(missed.positions(best)) + upright, -1.6 * upright)

    def x(self, standings: Sequence[Standing]) -> list[float]:
        """Positions on the axis of memory."""
        return _floats(self.pinned, [s.pinned_bytes for s in standings])

    def y(self, standings: Sequence[Standing]) -> list[float]:
        """Positions on the axis of records, 0 missed first."""
        return _floats(self.missed, [s.missed for s in standings])


def _floats(scale: BrokenLog, values: list[int]) -> list[float]:
    placed: list[float] = scale.positions(values).tolist()
    return placed


def _traces(standings: Sequence[Standing], axes: _Axes) -> list[dict[str, Any]]:
    traces = []
    for kind, (name, marker) in _STYLES.items():
        of_kind = [s for s in standings if s.kind == kind]
        if of_kind:
            traces.append(_trace(of_kind, axes, name, marker))
            if kind == "front":
                traces[-1] |= {
                    "mode": "lines+markers",
                    "line": {"shape": "hv", "color": PALETTE[0]},
                }
    return traces


def _trace(
    standings: Sequence[Standing], axes: _Axes, name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": axes.x(standings),
        "y": axes.y(standings),
        "text": [_hover(s, axes.best) for s in standings],
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover(standing: Standing, best: int) -> str:
    low, high = (render_time(ns) for ns in standing.overhead_ns)
    overhead = low if low == high else f"{low} to {high}"
    return (
        f"<b>{'<br>'.join(map(escape, standing.names))}</b><br>"
        f"{standing.captured:,} captured ({render_share(standing.captured, best)} %), "
        f"{standing.missed:,} missed<br>{render_size(standing.pinned_bytes)} pinned at the peak<br>"
        f"{overhead} of overhead{' and setup' if standing.has_setup else ''}"
    )


def _layout(standings: Sequence[Standing], axes: _Axes) -> dict[str, Any]:
    return {
        "margin": {"l": 64, "r": 16, "t": _ABOVE, "b": _BELOW},
        "xaxis": size_axis(axes.pinned)
        | {"title": {"text": "peak pinned memory"}, "range": list(axes.x_range)},
        "yaxis": _records_axis(axes),
        "annotations": _labels(standings, axes),
    }


def _records_axis(axes: _Axes) -> dict[str, Any]:
    """Ticks at nine tenths, nine tenths of the rest, and so on: shares of what can be captured."""
    decades = range(axes.missed.last - axes.missed.first + 1)
    shares = [n for n in decades if axes.best // 10**n >= 10**axes.missed.first]
    places = axes.missed.positions([0.0, *(axes.best / 10**n for n in shares)]).tolist()
    texts = [
        "100 %",
        *("0 %" if n == 0 else f"{100 - 100 / 10**n:.{max(0, n - 2)}f} %" for n in shares),
    ]
    return {
        "title": {"text": "captured records"},
        "tickvals": places,
        "ticktext": texts,
        "range": list(axes.y_range),
        "zeroline": False,
    }


def _labels(standings: Sequence[Standing], axes: _Axes) -> list[dict[str, Any]]:
    order = sorted(standings, key=lambda s: list(_STYLES).index(s.kind))
    xs, ys = axes.x(order), axes.y(order)
    points = [
        Point(_part(x, axes.x_range), _part(y, (axes.y_range[1], axes.y_range[0])), _lines(s))
        for s, x, y in zip(order, xs, ys, strict=True)
    ]
    front = sorted(p for p, s in zip(_spots(points), order, strict=True) if s.kind == "front")
    offsets = place_labels(points, list(_steps(front)), _HEIGHT - _ABOVE - _BELOW - 40)
    return [
        {
            "x": x, "y": y, "ax": right, "ay": down, "text": "<br>".join(map(escape, point.lines)),
            "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": "--line",
            "standoff": 6, "align": "left", "xanchor": "center", "yanchor": "middle",
            "font": {"size": 12, "color": "--soft" if s.kind == "dominated" else "--text"},
        }
        for s, x, y, point, (right, down) in zip(order, xs, ys, points, offsets, strict=True)
    ]  # fmt: skip


def _spots(points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(point.x, point.y) for point in points]


def _steps(front: Sequence[tuple[float, float]]) -> Iterator[Line]:
    """The front's lines: level to the next point's place, then upright."""
    for (left, low), (right, high) in pairwise(front):
        yield left, low, right, low
        yield right, low, right, high


def _part(value: float, ends: tuple[float, float]) -> float:
    return (value - ends[0]) / (ends[1] - ends[0])


def _lines(standing: Standing) -> tuple[str, ...]:
    names = standing.names
    if len(names) <= _NAMES_MAX:
        return names
    return (*names[: _NAMES_MAX - 1], f"and {len(names) - _NAMES_MAX + 1} more")
