"""Flips of the ranking in words: those that happen together in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spetrace.report.sweep_measures import Swept
from spetrace.report.sweep_ranking import Flip
from spetrace.report.wording import join_names


def flip_sentences(flips: Sequence[Flip], swept: Sequence[Swept], several: bool) -> list[str]:
    """A sentence per step of a parameter and the strategies that change places there; with the
    capture where there are `several`.
    """
    firsts: dict[tuple[_Step, str], list[str]] = {}
    for flip in flips:
        firsts.setdefault((_step(flip), flip.better_after), []).append(flip.better_before)
    seconds: dict[tuple[_Step, tuple[str, ...]], list[str]] = {}
    for (step, after), before in firsts.items():
        seconds.setdefault((step, tuple(before)), []).append(after)
    by_name = {each.name: each for each in swept}
    return [
        _sentence(step, by_name[step.parameter], before, after, several)
        for (step, before), after in seconds.items()
    ]


class _Step(NamedTuple):
    """What flips that happen together have in common."""

    capture: str
    title: str
    parameter: str
    before: Any
    after: Any
    settings: int
    of_settings: int


def _step(flip: Flip) -> _Step:
    at = (flip.parameter, flip.before, flip.after)
    return _Step(flip.capture, flip.measure.title, *at, flip.settings, flip.of_settings)


def _sentence(
    step: _Step, swept: Swept, before: Sequence[str], after: Sequence[str], several: bool
) -> str:
    head = f"{step.title} ({step.capture})" if several else step.title
    where = ""
    if step.of_settings > 1:
        where = f", at {step.settings} of {step.of_settings} settings of the other parameters"
    verb = "is" if len(before) == 1 else "are"
    return (
        f"{head}: at {step.parameter} {swept.render(step.before)} {join_names(before)} {verb} "
        f"better, at {swept.render(step.after)} {join_names(after)}{where}."
    )
