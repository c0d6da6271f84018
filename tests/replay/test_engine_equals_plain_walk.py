"""The engine gives what the plain walk gives, on random logs: every counter and every row."""

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from plain_walk import STRATEGIES, walk_in_detail
from plain_walk.log import plain_events
from random_logs import logs

from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.tables.events import EVENTS
from spetrace.tables.results import COUNTERS


def events_table(events: list[dict]) -> pa.Table:
    rows = plain_events(events)
    columns = {name: [row.get(name) for row in rows] for name in EVENTS.names}
    return EVENTS.from_columns(columns | {"row": list(range(len(rows)))}, len(rows))


def rows_of(table: pa.Table, strategy: str) -> list[dict]:
    return [row for row in table.to_pylist() if row.pop("strategy") == strategy]


def counters_of(rows: list[dict]) -> dict:
    """{VM as text, or "total": counters}."""
    scopes = {"total" if row["vm"] is None else str(row["vm"]): row for row in rows}
    assert len(scopes) == len(rows)
    return {scope: {n: int(row[n]) for n in COUNTERS} for scope, row in scopes.items()}


def with_ipa_pages(rows: list[dict], page_size: int) -> list[dict]:
    for row in rows:
        ipa = row.pop("ipa")
        row["ipa_page"] = None if ipa is None else ipa // page_size
    return rows


def in_order(rows: list[dict]) -> list[str]:
    """Rows in an order of their own, whatever the order of their columns."""
    return sorted(str(sorted(row.items())) for row in rows)


def pinned_of(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(vm, ts, bytes) of each time at whose end another value stands than before."""
    last = {(vm, ts): pinned for vm, ts, pinned in rows}
    now: dict[int, int] = {}
    changes = []
    for (vm, ts), pinned in sorted(last.items()):
        if pinned != now.get(vm, 0):
            changes.append((vm, ts, pinned))
        now[vm] = pinned
    return changes


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(logs(acts=8))
def test_replay_random_logs(log: tuple[dict, list[dict]]) -> None:
    session, events = log
    parameters = Parameters().updated(session)
    size = parameters.page_size
    run = replay(events_table(events), parameters, outcomes=True)
    assert run.outcomes is not None
    for strategy in STRATEGIES:
        want = walk_in_detail(events, parameters, strategy)
        results = counters_of(rows_of(run.results, strategy))
        assert results == want.results["vms"] | {"total": want.results["total"]}, strategy
        outcomes = [row["outcome"] for row in rows_of(run.outcomes, strategy)]
        assert outcomes == want.outcomes, strategy
        blackouts = with_ipa_pages(rows_of(run.blackouts, strategy), size)
        assert in_order(blackouts) == in_order([vars(row) for row in want.blackouts]), strategy
        aborts = with_ipa_pages(rows_of(run.aborts, strategy), size)
        assert all(row.pop("reason") for row in aborts)
        assert in_order(aborts) == in_order([vars(row) for row in want.aborts]), strategy
        pinned = [(r["vm"], r["ts"], r["pinned_bytes"]) for r in rows_of(run.pinned, strategy)]
        steps = [(vm, ts, b) for vm, per in want.pinned.items() for ts, b in per.items()]
        assert pinned_of(pinned) == pinned_of(steps), strategy
