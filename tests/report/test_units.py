from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spetrace.report.units import render_count, render_share, render_size, render_time

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0"),
        (1, "1 ns"),
        (999, "999 ns"),
        (1000, "1.00 us"),
        (9_995, "10.0 us"),
        (724_000, "724 us"),
        (999_500, "1.00 ms"),
        (183_500_800, "184 ms"),
        (39_998_897_360, "40.0 s"),
        (12_345_678_000_000, "12,346 s"),
        (-5_000, "-5.00 us"),
    ],
)
def test_time_has_three_digits(ns: int, text: str) -> None:
    assert render_time(ns) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (512, "512 B"),
        (4096, "4 KiB"),
        (4097, "4.00 KiB"),
        (4_018_176, "3.83 MiB"),
        (1 << 20, "1 MiB"),
        (1 << 30, "1 GiB"),
        (1_073_737_728, "1.00 GiB"),
        (5000 << 40, "5,000 TiB"),
    ],
)
def test_size_is_exact_or_has_three_digits(size: int, text: str) -> None:
    assert render_size(size) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0"),
        (0, 9, "0"),
        (9, 9, "100"),
        (1, 3, "33.3"),
        (1, 1000, "0.1"),
        (1, 1001, "<0.1"),
        (999, 1000, "99.9"),
        (1000, 1001, ">99.9"),
        (2**70 - 1, 2**70, ">99.9"),
    ],
)
def test_share_says_all_or_nothing_only_where_exact(part: int, whole: int, text: str) -> None:
    assert render_share(part, whole) == text


def test_count_is_exact() -> None:
    assert render_count(2**70) == "1,180,591,620,717,411,303,424"


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 10**16))
def test_time_is_within_half_a_percent(ns: int) -> None:
    number, unit = render_time(ns).split()
    assert abs(Fraction(number.replace(",", "")) * UNITS[unit] - ns) <= Fraction(ns, 200)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 2**50))
@example(1057554762)
def test_size_is_within_half_a_percent(size: int) -> None:
    number, unit = render_size(size).split()
    assert abs(Fraction(number.replace(",", "")) * SIZES[unit] - size) <= Fraction(size, 200)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 10**9).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))
)
def test_share_is_within_a_twentieth(pair: tuple[int, int]) -> None:
    part, whole = pair
    text, exact = render_share(part, whole), Fraction(100 * part, whole)
    if text == "<0.1":
        assert 0 < exact < Fraction(1, 10)
    elif text == ">99.9":
        assert Fraction(999, 10) < exact < 100
    else:
        assert abs(Fraction(text) - exact) <= Fraction(1, 20)
        assert (text == "0") == (part == 0)
        assert (text == "100") == (part == whole)
