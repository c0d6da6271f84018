"""The answer to the replay's question in two or three sentences, made from the totals.

The question: which strategies lose nothing, which of these pin least, and what losing costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spetrace.report.figures import Counters
from spetrace.report.units import render_share, render_size, render_time
from spetrace.report.wording import count_of, join_names


@dataclass(frozen=True)
class _Standing:
    """One strategy against the upper bound."""

    name: str
    missed: int
    """Records that the upper bound captures and this does not."""
    pinned: int
    """Peak, in bytes."""
    overhead_ns: int
    """With setup."""
    has_setup: bool


def answer(total: Mapping[str, Counters], bounds: Mapping[str, str | None]) -> tuple[str, ...]:
    """The sentences; `bounds` names the strategies that are bounds."""
    records = max((row["records"] for row in total.values()), default=0)
    if not records:
        return ("The session holds no sample records: it says nothing about the strategies.",)
    upper = next((name for name in total if bounds.get(name) == "upper"), None)
    best = total[upper]["captured"] if upper else records
    standings = {
        name: _Standing(
            name,
            max(best - row["captured"], 0),
            row["pinned_bytes_peak"],
            row["overhead_ns"] + row["setup_ns"],
            row["setup_ns"] > 0,
        )
        for name, row in total.items()
    }
    contenders = [s for name, s in standings.items() if not bounds.get(name)]
    keeping = [s for s in contenders if not s.missed]
    losing = [s for s in contenders if s.missed]
    lower = [s for name, s in standings.items() if bounds.get(name) == "lower"]
    goal = _goal(upper, best, records)
    return (
        *_on_keeping(keeping, contenders, goal),
        *_on_losing(losing, lower, records),
        *_on_no_difference(contenders, lower),
    )


def _goal(upper: str | None, best: int, records: int) -> str:
    """What a strategy can capture at most, as a phrase."""
    if best == records:
        return f"all {count_of(records, 'sample record')}" if best > 1 else "the one sample record"
    share = render_share(best, records)
    return f"the {best:,} of {records:,} sample records ({share} %) that {upper} captures"


def _on_keeping(
    keeping: Sequence[_Standing], contenders: Sequence[_Standing], goal: str
) -> Sequence[str]:
    if not contenders:
        return ["Only the bounds were replayed."]
    if not keeping:
        return [f"None of the {len(contenders)} strategies captures {goal}."]
    thrifty = _least_pinned(keeping)
    who = _who_keeps(keeping, contenders)
    pins = _pins(thrifty, len(keeping) == 1) + _against(keeping, thrifty[0].pinned)
    return [f"{who} {goal}; {pins}, {_overhead(thrifty)}."]


def _who_keeps(keeping: Sequence[_Standing], contenders: Sequence[_Standing]) -> str:
    """Subject and verb."""
    if len(keeping) == 1:
        only = f"Of {len(contenders)} strategies only " if len(contenders) > 1 else ""
        return f"{only}{keeping[0].name} captures"
    some = "All" if len(keeping) == len(contenders) else f"{len(keeping)} of"
    return f"{some} {len(contenders)} strategies capture"


def _least_pinned(keeping: Sequence[_Standing]) -> list[_Standing]:
    least = min(s.pinned for s in keeping)
    return [s for s in keeping if s.pinned == least]


def _pins(thrifty: Sequence[_Standing], alone: bool) -> str:
    least = thrifty[0].pinned
    amount = f"{render_size(least)} at the peak" if least else "nothing"
    if alone:
        return f"it pins {amount}"
    names = join_names([s.name for s in thrifty])
    verb = "pins" if len(thrifty) == 1 else "pin"
    return f"{names} {verb} {'least: ' if least else ''}{amount}"


def _against(keeping: Sequence[_Standing], least: int) -> str:
    most = max(s.pinned for s in keeping)
    if most == least:
        return ""
    names = join_names([s.name for s in keeping if s.pinned == most])
    return f" ({names}: {render_size(most)})"


def _overhead(thrifty: Sequence[_Standing]) -> str:
    """Overhead with setup, as a phrase."""
    low, high = (pick(s.overhead_ns for s in thrifty) for pick in (min, max))
    if not high:
        return "with no overhead"
    what = "overhead and setup" if any(s.has_setup for s in thrifty) else "overhead"
    if low == high:
        return f"with {render_time(low)} of {what}{' each' if len(thrifty) > 1 else ''}"
    return f"with {render_time(low)} to {render_time(high)} of {what}"


def _on_losing(
    losing: Sequence[_Standing], lower: Sequence[_Standing], records: int
) -> Sequence[str]:
    """The strategies that lose least and, where others, those that pin least; then the bound."""
    picks = []
    if losing:
        picks.append(_alike(losing, min(losing, key=lambda s: (s.missed, s.pinned))))
        picks.append(_alike(losing, min(losing, key=lambda s: (s.pinned, s.missed))))
    parts = [_loses(pick, records) for pick in (picks[:1] if picks[:1] == picks[1:] else picks)]
    if lower and (losing or lower[0].missed):
        parts.append(
            f"{lower[0].name}, the lower bound, misses {_missed(lower[0].missed, records)}"
        )
    lead = f"Of the {len(losing)} that miss records, " if len(losing) > 1 else ""
    return [f"{lead}{'; '.join(parts)}."] if parts else []


def _alike(losing: Sequence[_Standing], one: _Standing) -> list[_Standing]:
    return [s for s in losing if (s.missed, s.pinned) == (one.missed, one.pinned)]


def _loses(pick: Sequence[_Standing], records: int) -> str:
    verb, what = ("misses", "pins") if len(pick) == 1 else ("miss", "pin")
    pinned = render_size(pick[0].pinned) if pick[0].pinned else "nothing"
    names = join_names([s.name for s in pick])
    return f"{names} {verb} {_missed(pick[0].missed, records)} and {what} {pinned}"


def _missed(missed: int, records: int) -> str:
    if not missed:
        return "none"
    return f"{count_of(missed, 'record')} ({render_share(missed, records)} %)"


def _on_no_difference(contenders: Sequence[_Standing], lower: Sequence[_Standing]) -> Sequence[str]:
    if not contenders or not lower or lower[0].missed or any(s.missed for s in contenders):
        return []
    return [
        f"Even {lower[0].name}, the lower bound, captures them: in this session nothing is lost "
        "to stage 2, so it tells the strategies apart by their cost alone."
    ]
