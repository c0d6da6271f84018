"""What the answer rests on, in a sentence, and what losing records does to the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spetrace.report.basis import LossLine, all_assumptions, input_lines, span_ns
from spetrace.report.charts.fidelity_marks import Measure
from spetrace.report.units import render_time
from spetrace.report.wording import count_of, join_names, printable


def rests_on(session: Mapping[str, Any], losses: Sequence[LossLine]) -> str:
    """Inputs, span, assumptions, costs and losses, in a sentence."""
    parts = [
        join_names([line.name for line in input_lines(session)]),
        _span(session),
        _assumptions(session),
        _costs(session),
    ]
    return f"Rests on {join_names([part for part in parts if part])}; {_losses(losses)}."


def on_fidelity(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Which strategies skew the profile beyond noise: a sentence where some lose compared records."""
    skews: dict[str, list[str]] = {}
    for measure in measures:
        for mark in (mark for mark in measure.marks if mark.value is not None):
            titles = skews.setdefault(mark.strategy, [])
            titles += [measure.title] if mark.is_skewed else []
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, titles in skews.items():
        alike.setdefault(tuple(titles), []).append(name)
    parts = [
        _skew(names, titles)
        for titles, names in sorted(alike.items(), key=lambda each: -len(each[0]))
    ]
    return (
        (f"Beyond what random losses of the same size do to the profile, {'; '.join(parts)}.",)
        if parts
        else ()
    )


def _skew(names: Sequence[str], titles: Sequence[str]) -> str:
    verb = "skews" if len(names) == 1 else "skew"
    return f"{join_names(names)} {verb} {join_names(titles) if titles else 'nothing'}"


def _span(session: Mapping[str, Any]) -> str:
    span = span_ns(session)
    return f"{render_time(span)} of recording" if span else ""


def _assumptions(session: Mapping[str, Any]) -> str:
    names = [printable(each.get("name", "")) for each in all_assumptions(session)]
    given = [name for name in names if name != "costs"]
    return f"{count_of(len(given), 'assumption')} ({', '.join(given)})" if given else ""


def _costs(session: Mapping[str, Any]) -> str:
    bases = [str(cost.get("basis")) for cost in session.get("costs", [])]
    known = sum(basis != "default" for basis in bases)
    if not known:
        return "costs that nobody measured (the defaults)"
    return f"costs of which {known} of {len(bases)} were measured or given"


def _losses(losses: Sequence[LossLine]) -> str:
    if not losses:
        return "the inputs tell of no loss"
    lossy = sum(loss.severity == "data_loss" for loss in losses)
    others = len(losses) - lossy
    said = [count_of(lossy, "counter of lost data")] if lossy else []
    said += [count_of(others, "oddity")] if others else []
    return f"the inputs tell of {join_names(said)} (below)"
