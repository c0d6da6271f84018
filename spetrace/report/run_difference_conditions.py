"""Conditions on how two runs differ, as `--fail-if` takes them: [STRATEGY:]COUNTER OP VALUE[%].

OP compares B - A with VALUE, in the counter's unit or in percent of A. From A = 0 a change up is
infinitely many percent and no change is 0 %, so `>+5%` holds for any growth from 0 and `<-5%` never.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from spetrace.errors import UsageError
from spetrace.report.run_difference import UNITS, CounterDifference, RunDifference
from spetrace.report.wording import join_names, printable

_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION: Final = re.compile(
    r"\s*(?:(?P<strategy>.+):)?\s*(?P<counter>\w+)\s*(?P<operator><=|>=|==|!=|<|>)\s*"
    r"(?P<value>[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?P<suffix>%|[A-Za-z]*)\s*"
)
_TIMES: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_SIZE: Final = re.compile(r"([KMGT]?)(?:i?B)?", re.IGNORECASE)
_SIZES: Final = "KMGT"


@dataclass(frozen=True)
class Condition:
    """One condition on a counter's difference."""

    text: str
    strategy: str | None
    """None: any strategy that both runs have."""
    counter: str
    operator: str
    value: Fraction
    """In percent, or in the counter's unit."""
    is_percent: bool

    def holds(self, difference: CounterDifference) -> bool:
        """Whether the difference is as the condition says."""
        found = Fraction(difference.difference)
        if self.is_percent:
            percent = difference.percent
            if percent is None:
                return self.operator in (">", ">=", "!=")
            found = percent
        return _OPERATORS[self.operator](found, self.value)


@dataclass(frozen=True)
class Failure:
    """A condition that holds for a strategy."""

    condition: str
    strategy: str
    difference: CounterDifference

    @property
    def text(self) -> str:
        """The strategy and its values."""
        _, a, b, signed, change, _ = self.difference.cells
        return f"{self.strategy}: {self.difference.counter} {a} to {b} ({signed}, {change})"


def parse_condition(text: str) -> Condition:
    """The condition that `text` spells; raises UsageError with what there is to choose from."""
    match = _CONDITION.fullmatch(text)
    if not match:
        raise _error(
            text,
            "write COUNTER OP VALUE, such as captured<-1% or map-on-fault:blackout_ns>2ms (OP is "
            f"{', '.join(_OPERATORS)}); counters are {', '.join(UNITS)}",
        )
    counter = match["counter"]
    if counter not in UNITS:
        raise _error(text, f"there is no counter {counter}; there are {', '.join(UNITS)}")
    return Condition(
        text=printable(text.strip()),
        strategy=match["strategy"].strip() if match["strategy"] else None,
        counter=counter,
        operator=match["operator"],
        value=Fraction(match["value"]) * _factor(text, match["suffix"], UNITS[counter]),
        is_percent=match["suffix"] == "%",
    )


def failures(conditions: Sequence[Condition], difference: RunDifference) -> tuple[Failure, ...]:
    """The conditions that hold, per strategy.

    Raises UsageError for a condition on a strategy that is not in both runs.
    """
    return tuple(
        Failure(condition.text, strategy.name, value)
        for condition in conditions
        for strategy in _chosen(condition, difference)
        if condition.holds(value := strategy.counter(condition.counter))
    )


def failure_sentence(failed: Iterable[Failure]) -> str:
    """One sentence that names each condition that holds, and for which strategies."""
    by_condition: dict[str, list[str]] = {}
    for each in failed:
        by_condition.setdefault(each.condition, []).append(each.text)
    return "; ".join(f"{name} holds for {join_names(who)}" for name, who in by_condition.items())


def _chosen(condition: Condition, difference: RunDifference) -> Sequence[Any]:
    if condition.strategy is None and difference.strategies:
        return difference.strategies
    names = {condition.strategy, (condition.strategy or "").replace("_", "-")}
    chosen = [s for s in difference.strategies if s.name in names]
    if not chosen:
        both = ", ".join(s.name for s in difference.strategies) or "none"
        raise _error(condition.text, f"no such strategy is in both results; in both are: {both}")
    return chosen


def _factor(text: str, suffix: str, unit: str | None) -> int:
    """What a suffix multiplies by, where it is one of the counter's unit."""
    if suffix in ("", "%"):
        return 1
    if unit == "ns" and suffix in _TIMES:
        return _TIMES[suffix]
    size = _SIZE.fullmatch(suffix)
    if unit == "bytes" and size:
        return 1 << (10 * (_SIZES.index(size[1].upper()) + 1)) if size[1] else 1
    fitting = {"ns": "ns, us, ms, s or %", "bytes": "K, M, G, T or %"}.get(unit or "", "% or none")
    raise _error(
        text, f"{suffix} is no suffix of a value in {unit or 'counts'}: it takes {fitting}"
    )


def _error(text: str, cause: str) -> UsageError:
    return UsageError(f"--fail-if {text!r}: {cause}")
