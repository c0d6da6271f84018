from __future__ import annotations

import pytest
import typer

from spetrace.cli.arguments import (
    Unlimited,
    expand_optional_values,
    parse_assumed_spe,
    parse_costs,
    parse_duration,
    parse_limit,
    parse_size,
)
from spetrace.session.options import AssumedSpe


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("64K", 65536),
        ("64k", 65536),
        ("16M", 16 << 20),
        ("4G", 4 << 30),
        ("1T", 1 << 40),
        ("2GiB", 2 << 30),
        ("2GB", 2 << 30),
        ("0x80000000", 0x80000000),
        ("0XfF", 255),
    ],
)
def test_parse_size_accepts(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "K", "-1", "1.5G", "1Q", "0x", "1e3", "99999999999999999999", "9" * 5000, "16777216T"]
)  # fmt: skip
def test_parse_size_refuses(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_size(text)


def test_none_is_no_limit() -> None:
    assert parse_limit("none") is Unlimited.NONE
    assert parse_limit("1M") == 1 << 20
    assert parse_duration("None") is Unlimited.NONE
    assert parse_duration("1000") == 1000
    with pytest.raises(typer.BadParameter):
        parse_duration("1s")


def test_costs_are_pairs() -> None:
    assert parse_costs(["irq_ns=5", "vm_exit_ns=7"]) == {"irq_ns": 5, "vm_exit_ns": 7}
    for wrong in ("irq_ns", "irq_ns=", "irq_ns=-1", "irq_ns=x"):
        with pytest.raises(typer.BadParameter):
            parse_costs([wrong])


def test_assumed_spe_has_defaults() -> None:
    assert parse_assumed_spe(None) is None
    assert parse_assumed_spe("") == AssumedSpe()
    assert parse_assumed_spe("period_ns=5,buffer_bytes=64K") == AssumedSpe(5, 64, 65536)
    for wrong in ("period=5", "period_ns=0", "period_ns", "period_ns=x"):
        with pytest.raises(typer.BadParameter):
            parse_assumed_spe(wrong)


@pytest.mark.parametrize(
    ("words", "expanded"),
    [
        (["a", "--assume-spe"], ["a", "--assume-spe="]),
        (["--assume-spe", "a.dat"], ["--assume-spe=", "a.dat"]),
        (["--assume-spe", "--outcomes"], ["--assume-spe=", "--outcomes"]),
        (["--assume-spe", "period_ns=5"], ["--assume-spe", "period_ns=5"]),
        (["--assume-spe=period_ns=5"], ["--assume-spe=period_ns=5"]),
        (["--", "--assume-spe"], ["--", "--assume-spe"]),
    ],
)
def test_bare_option_gets_its_empty_value(words: list[str], expanded: list[str]) -> None:
    assert expand_optional_values(words) == expanded
