"""How two runs differ: per strategy the counters of both, computed once; formats only draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from spetrace.report.basis import span_ns
from spetrace.report.change_texts import render_change, render_ratio, render_signed, renderer
from spetrace.report.counters import totals
from spetrace.report.figures import derived_units, with_derived
from spetrace.report.run_basis_difference import BasisChange, basis_changes, same_inputs
from spetrace.report.run_fidelity_difference import FidelityDifference, fidelity_differences
from spetrace.report.units import render_share
from spetrace.report.wording import count_of, printable
from spetrace.tables.results import COUNTERS
from spetrace.tables.run import Run

UNITS: dict[str, str | None] = {name: unit for name, (_, unit) in COUNTERS.items()}
UNITS |= derived_units()
"""Unit of every counter that is compared: those of table results, then the derived ones."""
_HEADLINES = ("captured", "pinned_bytes_peak", "overhead_ns", "blackout_ns")
_COUNTED = "strategies"


@dataclass(frozen=True)
class CounterDifference:
    """One counter of one strategy in both runs."""

    counter: str
    a: int
    b: int

    HEADINGS = ("counter", "A", "B", "difference", "change", "ratio")

    @property
    def unit(self) -> str | None:
        """Unit of both values; None for plain counts."""
        return UNITS[self.counter]

    @property
    def difference(self) -> int:
        """B - A."""
        return self.b - self.a

    @property
    def percent(self) -> Fraction | None:
        """The difference in percent of A, exactly: 0 where both are 0, None (infinite) from 0 up."""
        if not self.a:
            return None if self.b else Fraction(0)
        return Fraction(100 * self.difference, abs(self.a))

    @property
    def ratio(self) -> Fraction | None:
        """B / A; None where A is 0."""
        return Fraction(self.b, self.a) if self.a else None

    @property
    def cells(self) -> tuple[str, ...]:
        """Under HEADINGS."""
        render = renderer(self.unit)
        return (
            self.counter,
            render(self.a),
            render(self.b),
            render_signed(self.difference, render),
            render_change(self.percent),
            render_ratio(self.ratio),
        )


@dataclass(frozen=True)
class StrategyDifference:
    """One strategy that both runs have."""

    name: str
    counters: tuple[CounterDifference, ...]
    """All counters, in their order."""

    @property
    def changed(self) -> tuple[CounterDifference, ...]:
        """Those that differ."""
        return tuple(c for c in self.counters if c.difference)

    def counter(self, name: str) -> CounterDifference:
        """The counter of that name."""
        return next(c for c in self.counters if c.counter == name)


@dataclass(frozen=True)
class RunDifference:
    """Two runs side by side, in the order in which they are shown."""

    names: tuple[str, str]
    """What A and B are: the folders' names."""
    title: str
    answer: tuple[str, ...]
    basis: tuple[BasisChange, ...]
    """What differs in inputs, parameters, assumptions and all else that results rest on."""
    strategies: tuple[StrategyDifference, ...]
    only: tuple[tuple[str, str], ...]
    """Strategies of one run alone, each with a sentence."""
    fidelity: tuple[FidelityDifference, ...]
    """Measures of profile fidelity that both have."""
    notes: tuple[str, ...]

    @property
    def changed(self) -> tuple[StrategyDifference, ...]:
        """The strategies with a counter that differs."""
        return tuple(s for s in self.strategies if s.changed)

    @property
    def changed_fidelity(self) -> tuple[FidelityDifference, ...]:
        """The measures of profile fidelity that differ."""
        return tuple(each for each in self.fidelity if each.is_changed)

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The names of the others."""
        return tuple(s.name for s in self.strategies if not s.changed)


def differ(a: Run, b: Run, names: tuple[str, str] = ("A", "B")) -> RunDifference:
    """The runs `a` and `b` side by side: totals over all VMs."""
    counters = [_counters(run) for run in (a, b)]
    strategies = tuple(
        StrategyDifference(name, _differences(row, counters[1][name]))
        for name, row in counters[0].items()
        if name in counters[1]
    )
    same = same_inputs(a, b)
    return RunDifference(
        names=(printable(names[0]), printable(names[1])),
        title=f"B against A: {'the same inputs' if same else 'other inputs'}, "
        f"{count_of(len(strategies), 'strategy')} in both",
        answer=_answer(strategies),
        basis=basis_changes(a, b),
        strategies=strategies,
        only=_only_in_one(a, b, counters),
        fidelity=fidelity_differences(a, b),
        notes=_notes(strategies, same),
    )


def _counters(run: Run) -> dict[str, dict[str, int]]:
    span = span_ns(run.session)
    return {name: with_derived(row, span) for name, row in totals(run).items()}


def _differences(a: Mapping[str, int], b: Mapping[str, int]) -> tuple[CounterDifference, ...]:
    return tuple(CounterDifference(name, a[name], b[name]) for name in UNITS)


def _answer(strategies: Sequence[StrategyDifference]) -> tuple[str, ...]:
    changed = [s for s in strategies if s.changed]
    if not strategies:
        return ("No strategy is in both.",)
    if not changed:
        return ("Every counter of every strategy is the same.",)
    sentences = [_headline(name, strategies) for name in _HEADLINES]
    count = f"{len(changed)} of {len(strategies)} {_COUNTED} differ."
    return (count, *filter(None, [_captured_shares(strategies), *sentences]))


def _captured_shares(strategies: Sequence[StrategyDifference]) -> str:
    """What each run captures of its own records, where the two have other records; else ""."""
    shares = {s.name: [_captured_share(s, side) for side in "ab"] for s in strategies}
    if not any(s.counter("records").difference for s in strategies):
        return ""
    name = max(shares, key=lambda each: abs(shares[each][1] - shares[each][0]))
    a, b = shares[name]
    texts = (render_share(share.numerator, share.denominator) for share in (a, b))
    if a == b:
        return "Of its own sample records each captures the same share, under every strategy."
    return (
        "Of its own sample records each captures another share, most so under "
        f"{name}: {' % and '.join(texts)} %."
    )


def _captured_share(strategy: StrategyDifference, side: str) -> Fraction:
    captured, records = (getattr(strategy.counter(n), side) for n in ("captured", "records"))
    return Fraction(captured, records) if records else Fraction(0)


def _headline(counter: str, strategies: Sequence[StrategyDifference]) -> str:
    """How a counter differs, by the strategy where it does so most; "" where it is the same."""
    values = {s.name: s.counter(counter) for s in strategies}
    changed = {name: value for name, value in values.items() if value.difference}
    if not changed:
        return ""
    name = max(changed, key=lambda each: abs(changed[each].difference))
    _, a, b, _, change, _ = changed[name].cells
    where = f"for {len(changed)} of {len(strategies)} {_COUNTED}, most"
    where = "only" if len(changed) == 1 else where
    return f"{counter} differs {where} for {name}: {a} to {b} ({change})."


def _only_in_one(
    a: Run, b: Run, counters: Sequence[Mapping[str, object]]
) -> tuple[tuple[str, str], ...]:
    lines = []
    for here, there, own, other in (("A", "B", 0, b), ("B", "A", 1, a)):
        excluded = {printable(k): v for k, v in other.session.get("excluded", {}).items()}
        for name in counters[own]:
            if name not in counters[1 - own]:
                reason = (
                    f", which left it out: {printable(excluded[name])}" if name in excluded else ""
                )
                lines.append((name, f"only in {here}, not in {there}{reason}"))
    return tuple(lines)


def _notes(strategies: Sequence[StrategyDifference], same: bool) -> tuple[str, ...]:
    notes = ["Counters are totals over all VMs. ratio is B / A, - where A is 0."]
    if not same and any(s.counter("records").difference for s in strategies):
        notes.append(
            "A and B do not have the same sample records, so counts of records and faults grow "
            "with the recording: compare shares, not counts."
        )
    return tuple(notes)
