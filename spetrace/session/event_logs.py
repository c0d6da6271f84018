"""Event logs among the inputs, merged by time with what the captures give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from spetrace.tables.recording import Recording


def has_event_log(recordings: Sequence[Recording]) -> bool:
    """Whether any input is an event log."""
    return any(recording.events is not None for recording in recordings)


def first_event_ns(recordings: Sequence[Recording]) -> int | None:
    """Time of the first event of all event logs; None without any."""
    logs = [r.events for r in recordings if r.events is not None and len(r.events)]
    return min((log["ts"][0].as_py() for log in logs), default=None)


def merge_logs(
    recordings: Sequence[Recording],
    captured: Callable[[], pa.Table],
    parameters: Mapping[str, Any],
) -> tuple[pa.Table, dict[str, Any]]:
    """All events by time, and the session's parameters with those of the logs over them.

    Of one time, the logs' events come first, in order of the inputs. Each log is sorted by ts.
    """
    logs = [recording for recording in recordings if recording.events is not None]
    merged = dict(parameters)
    for log in logs:
        merged = _over(merged, log.parameters)
    tables = [log.events for log in logs if log.events is not None]
    events = captured()
    if len(events) or not tables:
        tables.append(events)
    return _by_time(tables), merged


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
