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


def by_strategy(table: pa.Table) -> dict[str, list[dict]]:
    rows: dict[str, list[dict]] = {strategy: [] for strategy in STRATEGIES}
    for row in table.to_pylist():
        rows[row.pop("strategy")].append(row)
    return rows


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
    tables = (run.results, run.outcomes, run.blackouts, run.aborts, run.pinned)
    results, outcomes, blackouts, aborts, pinned = (by_strategy(table) for table in tables)
    for strategy in STRATEGIES:
        want = walk_in_detail(events, parameters, strategy)
        counters = want.results["vms"] | {"total": want.results["total"]}
        assert counters_of(results[strategy]) == counters, strategy
        assert [row["outcome"] for row in outcomes[strategy]] == want.outcomes, strategy
        windows = with_ipa_pages(blackouts[strategy], size)
        assert in_order(windows) == in_order([vars(row) for row in want.blackouts]), strategy
        stops = with_ipa_pages(aborts[strategy], size)
        assert all(row.pop("reason") for row in stops)
        assert in_order(stops) == in_order([vars(row) for row in want.aborts]), strategy
        mine = [(row["vm"], row["ts"], row["pinned_bytes"]) for row in pinned[strategy]]
        steps = [(vm, ts, b) for vm, per in want.pinned.items() for ts, b in per.items()]
        assert pinned_of(mine) == pinned_of(steps), strategy
