"""The oracle against the expected results of the scenarios."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from plain_walk import STRATEGIES, read_log, walk
from random_logs import logs

from spetrace.replay.parameters import Parameters
from spetrace.tables.results import COUNTERS, OUTCOMES

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"


def differences(log):
    """What the walk gives otherwise than NAME.expected.json, as one line per counter."""
    session, events = read_log(log)
    parameters = Parameters().updated(session)
    expected = json.loads(log.with_suffix(".expected.json").read_text())
    assert set(expected) == set(STRATEGIES)
    found = []
    for strategy, wanted in expected.items():
        got = walk(events, parameters, strategy)
        assert got["vms"].keys() == wanted["vms"].keys()
        scopes = [("total", got["total"], wanted["total"])]
        scopes += [(vm, got["vms"][vm], wanted["vms"][vm]) for vm in wanted["vms"]]
        for scope, mine, theirs in scopes:
            assert mine.keys() == theirs.keys()
            found += [
                f"{strategy} {scope} {name}: {mine[name]}, expected {theirs[name]}"
                for name in theirs
                if mine[name] != theirs[name]
            ]
    return found


def test_walk_published_scenarios(shared: Path) -> None:
    logs = sorted((shared / "scenarios").glob("*.jsonl"))
    assert len(logs) == 14
    assert {log.stem: differences(log) for log in logs} == {log.stem: [] for log in logs}


@pytest.mark.parametrize("log", sorted(SCENARIOS.glob("*.jsonl")), ids=lambda log: log.stem)
def test_walk_own_scenarios(log: Path) -> None:
    assert differences(log) == []


def test_random_logs_every_counter_reached() -> None:
    reached = set()

    @settings(
        deadline=None,
        max_examples=10,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(logs(acts=10))
    def draw(log: tuple[dict, list[dict]]) -> None:
        session, events = log
        parameters = Parameters().updated(session)
        for strategy in STRATEGIES:
            total = walk(events, parameters, strategy)["total"]
            assert total["records"] == sum(total[outcome] for outcome in OUTCOMES)
            reached.update((strategy, name) for name, count in total.items() if count)

    for number in range(10):
        seed(number)(draw)()
    assert {name for _, name in reached} == set(COUNTERS)
    for outcome in set(OUTCOMES) - {"lost_blackout", "discarded"}:
        assert {s for s in STRATEGIES if (s, outcome) in reached} == set(STRATEGIES)
