"""Strategies of a user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from spetrace.errors import UsageError
from spetrace.ingest.importer import read_recording
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.replay.strategy_file import load

HALF_HEARTED = '''
"""Serve the first fault of a vCPU, abort on all others."""

from spetrace.replay.strategies.map_on_fault import MapOnFault
from spetrace.replay.strategy import Abort, Strategy


class HalfHearted(MapOnFault):
    name = "half-hearted"
    doc = "Map the first page, then give up."

    def on_fault(self, vcpu, fault):
        if vcpu.notes.setdefault("served", False):
            return Abort("enough")
        vcpu.notes["served"] = True
        return super().on_fault(vcpu, fault)


class Helper(Strategy):
    """Has no name, so it is none."""
'''
SCENARIO = Path(__file__).parents[1] / "scenarios" / "12-table-pages.jsonl"


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


def test_strategy_file_defines_what_has_a_name(tmp_path: Path) -> None:
    (strategy,) = load(written(tmp_path, HALF_HEARTED))
    events = read_recording(SCENARIO).events
    run = replay(events, Parameters(), [strategy])
    totals = [row for row in run.results.to_pylist() if row["vm"] is None]
    assert [row["strategy"] for row in totals] == ["half-hearted"]
    assert totals[0]["blackouts"] == 1
    assert totals[0]["aborts_injected"] >= 1
    assert run.session["strategies"]["half-hearted"]["doc"] == "Map the first page, then give up."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_like_this", "can't be loaded: ModuleNotFoundError"),
        ("def broken(:", "can't be loaded: SyntaxError"),
        ("x = 1", "defines no subclass of Strategy that has a name"),
        (HALF_HEARTED.replace("half-hearted", "pin-vm"), "there is a strategy 'pin-vm' already"),
    ],
)
def test_strategy_file_that_is_none(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load(written(tmp_path, text))
    assert message in str(error.value)
    assert "mine.py" in str(error.value)
