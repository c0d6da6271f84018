"""Counts with their nouns."""

from __future__ import annotations

import pytest

from spetrace.report.wording import count_of


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (0, "run", "0 runs"), (1, "run", "1 run"), (2000, "run", "2,000 runs"),
        (1, "strategy", "1 strategy"), (3, "strategy", "3 strategies"),
    ],
)  # fmt: skip
def test_noun_is_in_the_plural_unless_it_is_one(count: int, noun: str, text: str) -> None:
    assert count_of(count, noun) == text
