"""What a shell is offered for the values of options and arguments."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cli.command import Command

from spetrace.cli.completion import complete_cost, complete_strategies, complete_table


def offered(*words: str) -> list[str]:
    asked = {
        "COMP_WORDS": " ".join(["spetrace", *words]),
        "COMP_CWORD": str(len(words)),
        "_SPETRACE_COMPLETE": "complete_bash",
    }
    command = [sys.executable, "-c", "from spetrace.cli.main import main; main()"]
    done = subprocess.run(
        command, env=os.environ | asked, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("sw",), ["sweep"]),
        (("replay", "--strategy", "pin-vm,map"), ["pin-vm,map-on-fault"]),
        (("strategies", "pin-and"), ["pin-and-keep"]),
        (("schema", "stage2"), ["stage2_faults"]),
        (("replay", "--cost", "irq"), ["irq_ns="]),
        (("replay", "--dl-model", "st"), ["straddle"]),
    ],
)
def test_shell_is_offered_values(words: tuple[str, ...], found: list[str]) -> None:
    assert offered(*words) == found


def test_strategies_of_a_list_are_offered_once() -> None:
    assert complete_strategies("pin-vm,pin-v") == []
    assert complete_strategies("al") == ["all"]
    assert complete_strategies("pin-vm,al") == []


def test_tables_and_costs_are_offered_by_their_beginnings() -> None:
    assert complete_table("profile_p") == ["profile_pcs", "profile_pages"]
    assert complete_cost("unpin") == ["unpin_page_ns="]


def test_help_shows_the_names_of_extras_and_whole_conditions(spetrace: Command) -> None:
    assert "'spetrace[cluster]'" in " ".join(spetrace("sweep", "--help").out.split())
    assert "…" not in spetrace("compare", "--help").out
    assert "[[vm]]" in spetrace("align", "--help").out
