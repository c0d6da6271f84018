"""What was kept of a sweep's runs, as table runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from spetrace.sweep.execute import Entry
from spetrace.sweep.plan import SweepRun
from spetrace.tables.sweep import PARAMETER_COLUMNS, RUNS

Done = dict[str, dict[str, str]]
"""Per run the strategies that are done, with their versions."""

_ENTRIES_AT_A_TIME: Final = 500


def done_runs(entries: Iterable[Entry]) -> Done:
    """Which runs and strategies are among the entries; the last entry of one counts."""
    done: Done = {}
    for entry in entries:
        versions = {n: str(kept.get("version")) for n, kept in entry["strategies"].items()}
        done.setdefault(entry["run"], {}).update(versions)
    return done


def lacking(run: SweepRun, done: Done, versions: Mapping[str, str]) -> tuple[str, ...]:
    """The strategies of a run that are not done, or in another version."""
    own = done.get(run.run_id, {})
    return tuple(name for name, version in versions.items() if own.get(name) != version)


def runs_table(
    entries: Iterable[Entry], runs: Sequence[SweepRun], versions: Mapping[str, str]
) -> pa.Table:
    """Table runs of the sweep's runs and strategies that are among the entries, in the plan's order."""
    order = {run.run_id: place for place, run in enumerate(runs)}
    places = {name: place for place, name in enumerate(versions)}
    pieces = [RUNS.empty()]
    stretches: dict[tuple[int, int], tuple[int, int]] = {}
    end = 0
    wanted = (entry for entry in entries if entry["run"] in order)
    while batch := list(islice(wanted, _ENTRIES_AT_A_TIME)):
        rows: list[tuple[Any, ...]] = []
        for entry in batch:
            for name, kept in entry["strategies"].items():
                if versions.get(name) == kept["version"]:
                    rows += _rows(runs[order[entry["run"]]], entry, name)
                    key = order[entry["run"]], places[name]
                    # Of what was kept twice, as by a cut of the power, the last counts.
                    start, end = end, end + len(kept["rows"])
                    stretches[key] = start, end
        pieces.append(RUNS.from_rows(rows))
    table = pa.concat_tables(pieces).unify_dictionaries()
    taken = [np.arange(*stretches[key], dtype=np.int64) for key in sorted(stretches)]
    return table.take(pa.array(np.concatenate([np.empty(0, np.int64), *taken])))


def _rows(run: SweepRun, entry: Entry, name: str) -> list[tuple[Any, ...]]:
    used = entry["parameters"]
    values = {**used, **used["costs"], "vms": json.dumps(used["vms"]) if used["vms"] else None}
    parameters = [values[column.name] for column in PARAMETER_COLUMNS]
    kept = entry["strategies"][name]
    head = (run.run_id, run.capture, run.placement_seed, *parameters, name, kept["version"])
    return [(*head, *row) for row in kept["rows"]]
