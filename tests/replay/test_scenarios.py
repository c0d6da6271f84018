"""Every strategy on every scenario gives the expected counters, to the integer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spetrace.ingest.importer import read_recording
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.tables.run import Run

OWN = Path(__file__).resolve().parents[1] / "scenarios"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "scenarios"
LOGS = sorted([*OWN.glob("*.jsonl"), *SHARED.glob("*.jsonl")])


def counters(run: Run) -> dict[str, Any]:
    """The results as the expected files hold them."""
    result: dict[str, Any] = {}
    for row in run.results.to_pylist():
        strategy, vm = row.pop("strategy"), row.pop("vm")
        values = {name: int(value) for name, value in row.items()}
        entry = result.setdefault(strategy, {"vms": {}, "total": {}})
        if vm is None:
            entry["total"] = values
        else:
            entry["vms"][str(vm)] = values
    return result


@pytest.mark.parametrize("log", LOGS, ids=[f"{p.parts[-3]}-{p.stem}" for p in LOGS])
def test_scenario_counters_equal_the_expected_ones(log: Path) -> None:
    recording = read_recording(log)
    assert recording.events is not None
    run = replay(recording.events, Parameters().updated(recording.parameters), outcomes=True)
    expected = json.loads(log.with_suffix("").with_suffix(".expected.json").read_text())
    assert counters(run) == expected
    assert run.outcomes is not None
    outcomes = run.outcomes.to_pylist()
    for strategy, entry in expected.items():
        mine = [row["outcome"] for row in outcomes if row["strategy"] == strategy]
        total = entry["total"]
        assert len(mine) == total["records"]
        assert {name: mine.count(name) for name in set(mine)} == {
            name: total[name] for name in set(mine)
        }
