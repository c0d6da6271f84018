"""An event log, prepared once for all strategies.

Records, ERETs and exceptions become columns per vCPU (`streams`); what remains, the events that
can change what happens to records, becomes `items`, replayed one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from spetrace.errors import NothingToReplayError
from spetrace.replay.log_columns import event_batches
from spetrace.replay.near import NearPages
from spetrace.replay.window import Window, keep_windows
from spetrace.replay.window_maker import WindowMaker

WINDOW_EVENTS: Final = 1 << 21
"""What is prepared of so many events takes some 40 MB, and as much while it is made."""


@dataclass(frozen=True)
class Timeline:
    """A prepared event log."""

    count: int
    """Events in the log."""
    span: tuple[int, int]
    """Times of the first and the last event, ns."""
    starts: dict[int, tuple[int, int]]
    """Per VM the place in the log and the time of its first event, VMs in order of their number."""
    vcpus: list[tuple[int, int]]
    """(VM, vCPU) of all that have an event, in order."""
    near: NearPages
    windows: Iterable[Window]
    """The whole log, to be gone through any number of times."""
    has_rows: bool
    """Whether it tells of each record which row of a table it is, as outcomes need."""


def build_timeline(
    events: pa.Table | Iterable[pa.RecordBatch],
    page_size: int,
    *,
    outcomes: bool = False,
    window_events: int = WINDOW_EVENTS,
    keep: Callable[[Iterable[Window]], Iterable[Window]] = keep_windows,
) -> Timeline:
    """Prepare a table `events` that is sorted by ts, or batches of one, which are taken once.

    `outcomes` asks for what outcomes need, `keep` takes the windows as they are made and gives them
    back. Raises NothingToReplayError for an empty log, OutputError where there is no room for a long one.
    """
    maker = WindowMaker(page_size, window_events, with_rows=outcomes)
    windows = keep(maker.windows(event_batches(events)))
    if not maker.count:
        raise NothingToReplayError("the inputs hold no event to replay")
    return Timeline(
        maker.count,
        (maker.first_ns, maker.last_ns),
        dict(sorted(maker.vcpus.starts.items())),
        sorted(maker.vcpus.names),
        maker.near,
        windows,
        outcomes,
    )
