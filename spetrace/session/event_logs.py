"""Event logs among the inputs, merged by time with what the captures give."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from spetrace.session.options import ASSEMBLED_WITH
from spetrace.tables.events import EVENTS
from spetrace.tables.recording import Recording


def has_event_log(recordings: Sequence[Recording]) -> bool:
    """Whether any input is an event log."""
    return any(recording.events is not None for recording in recordings)


def first_event_ns(recordings: Sequence[Recording]) -> int | None:
    """Time of the first event of all event logs; None without any."""
    logs = [r.events for r in recordings if r.events is not None and len(r.events)]
    return min((log["ts"][0].as_py() for log in logs), default=None)


def merge_logs(
    recordings: Sequence[Recording], captured: Iterator[pa.RecordBatch]
) -> tuple[pa.Table, Iterator[pa.RecordBatch]]:
    """All events by time: a table where there are event logs, else the batches of what captures give.

    Of one time, the logs' events come first, in order of the inputs. Each log is sorted by ts.
    """
    tables = [recording.events for recording in recordings if recording.events is not None]
    if not tables:
        return EVENTS.empty(), captured
    events = table_of(captured)
    if len(events):
        tables.append(events)
    return _by_time(tables), iter(())


def table_of(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Batches of table events as one table."""
    return pa.Table.from_batches(batches, schema=EVENTS.schema)


def merge_parameters(
    recordings: Sequence[Recording], parameters: Mapping[str, Any], flags: Mapping[str, Any]
) -> dict[str, Any]:
    """The session's parameters with those of event logs over them, and over both, for all VMs, the
    flags that the events are made with: a replay of them later needs the same.
    """
    merged = dict(parameters)
    for recording in recordings:
        if recording.events is not None:
            merged = _over(merged, recording.parameters)
    given = {name: flags[name] for name in ASSEMBLED_WITH if name in flags}
    return _without(merged, given) | given


def _without(parameters: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The parameters, none of `names` among those of single VMs."""
    vms = parameters.get("vms")
    if not names or not isinstance(vms, Mapping):
        return dict(parameters)
    kept = {
        vm: {n: v for n, v in own.items() if n not in names} if isinstance(own, Mapping) else own
        for vm, own in vms.items()
    }
    return {**parameters, "vms": kept}


def _over(parameters: Mapping[str, Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """A session line's parameters over others; costs and VMs one by one."""
    merged = {**parameters, **line}
    for name in ("costs", "vms"):
        both = [p[name] for p in (parameters, line) if isinstance(p.get(name), Mapping)]
        if len(both) == 2:
            merged[name] = {**both[0], **both[1]}
    return merged


def _by_time(tables: list[pa.Table]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    joined = pa.concat_tables(tables).unify_dictionaries()
    order = np.argsort(joined["ts"].to_numpy(), kind="stable")
    return joined.take(pa.array(order))
