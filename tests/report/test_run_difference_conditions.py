"""The grammar of --fail-if, and when a condition holds."""

from __future__ import annotations

import contextlib
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import counters, run_of

from spetrace.errors import UsageError
from spetrace.report.run_difference import UNITS, CounterDifference, RunDifference, differ
from spetrace.report.run_difference_conditions import (
    failure_sentence,
    failures,
    parse_condition,
)

OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def holds(text: str, a: int, b: int) -> bool:
    condition = parse_condition(text)
    return condition.holds(CounterDifference(condition.counter, a, b))


def difference_of(a: dict[str, dict[str, int]], b: dict[str, dict[str, int]]) -> RunDifference:
    runs = [
        run_of({name: {"vms": {}, "total": counters(**row)} for name, row in side.items()})
        for side in (a, b)
    ]
    return differ(*runs)


@pytest.mark.parametrize(
    ("text", "value", "is_percent"),
    [
        ("captured<-1%", Fraction(-1), True), ("captured < -0.5 %", Fraction(-1, 2), True),
        ("lost>=+10", Fraction(10), False), ("blackout_ns>2ms", Fraction(2_000_000), False),
        ("blackout_ns>1.5us", Fraction(1500), False), ("overhead_ns>3s", Fraction(3 * 10**9), False),
        ("overhead_ns<=-7ns", Fraction(-7), False), ("pinned_bytes_peak>64K", Fraction(65536), False),
        ("pinned_bytes_peak>0.5MiB", Fraction(1 << 19), False), ("bytes_copied!=1gb", Fraction(1 << 30), False),
        ("pinned_bytes_mean>12B", Fraction(12), False),
    ],
)  # fmt: skip
def test_conditions_are_read(text: str, value: Fraction, is_percent: bool) -> None:
    condition = parse_condition(text)
    assert (condition.value, condition.is_percent, condition.strategy) == (value, is_percent, None)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "write COUNTER OP VALUE"), ("captured", "write COUNTER OP VALUE"),
        ("captured<", "counters are stage2_faults"), ("captured<1%%", "write"),
        ("captured=1", "write"), ("captured<<1", "write"), ("captured<one", "write"),
        ("captured<1e3", "write"), ("captured<1/0", "write"), (":captured<1", "write"),
        ("captured<1" + "0" * 30, "write"), ("capture<1", "no counter capture; there are stage2_faults"),
        ("captured<1K", "K is no suffix of a value in records"), ("blackout_ns<1K", "takes ns, us"),
        ("pinned_bytes_peak<1ms", "takes K, M"), ("pins>1M", "in pages"), ("blackouts>1s", "in counts"),
    ],
)  # fmt: skip
def test_malformed_conditions_are_one_sentence(text: str, cause: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_condition(text)
    assert cause in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        ("captured<-1%", 1000, 990, False), ("captured<-1%", 1000, 989, True),
        ("captured<=-1%", 1000, 990, True), ("captured==0", 5, 5, True), ("captured!=0", 5, 5, False),
        # From 0: no change is 0 %, any growth is more than every percentage.
        ("lost>+10%", 0, 1, True), ("lost>=+10%", 0, 0, False), ("lost>=0%", 0, 0, True),
        ("lost<-10%", 0, 1, False), ("lost<=+10%", 0, 1, False), ("lost!=5%", 0, 1, True),
        ("lost==5%", 0, 1, False), ("lost<+1%", 0, 0, True), ("lost>0", 0, 1, True),
        ("lost<-99.9%", 5, 0, True), ("pinned_byte_ns>0", 2**70, 2**70 + 1, True),
    ],
)  # fmt: skip
def test_conditions_hold_by_the_change(text: str, a: int, b: int, expected: bool) -> None:
    assert holds(text, a, b) is expected


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(list(OPERATORS)), st.integers(1, 2**70), st.integers(0, 2**70),
    st.decimals(-1000, 1000, places=3),
)  # fmt: skip
def test_percentages_are_exact(sign: str, a: int, b: int, value: object) -> None:
    expected = OPERATORS[sign](Fraction((b - a) * 100, a), Fraction(str(value)))
    assert holds(f"captured{sign}{value}%", a, b) is expected


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_our_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_condition(text).counter in UNITS


def test_failures_name_condition_and_strategy() -> None:
    difference = difference_of(
        {"pin-vm": {"captured": 100}, "map-on-fault": {"captured": 90, "lost_fault": 10}},
        {"pin-vm": {"captured": 50, "lost_full": 50}, "map-on-fault": {"captured": 80, "lost_fault": 20}},
    )  # fmt: skip
    conditions = [
        parse_condition(t) for t in ("captured<-1%", "map-on-fault:lost_fault>5", "lost<0")
    ]
    failed = failures(conditions, difference)
    assert [(f.condition, f.strategy) for f in failed] == [
        ("captured<-1%", "pin-vm"), ("captured<-1%", "map-on-fault"),
        ("map-on-fault:lost_fault>5", "map-on-fault"),
    ]  # fmt: skip
    assert failure_sentence(failed) == (
        "captured<-1% holds for pin-vm: captured 100 to 50 (-50, -50.0 %) and map-on-fault: captured "
        "90 to 80 (-10, -11.1 %); map-on-fault:lost_fault>5 holds for map-on-fault: lost_fault 10 to "
        "20 (+10, +100 %)"
    )


def test_strategy_may_be_spelled_as_in_files() -> None:
    difference = difference_of({"pin-vm": {"captured": 2}}, {"pin-vm": {"captured": 1}})
    assert failures([parse_condition("pin_vm:captured<0")], difference)


@pytest.mark.parametrize("text", ["pin-walk:captured<0", "captured<0"])
def test_condition_on_what_is_not_in_both_is_an_error(text: str) -> None:
    difference = difference_of({"pin-vm": {"captured": 2}}, {"pin-walk": {"captured": 1}})
    with pytest.raises(UsageError, match="no such strategy is in both results; in both are: none"):
        failures([parse_condition(text)], difference)
