"""Where the buffers lie by one seed or another: all that tells such sessions apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spetrace.session.assembly import Assembly
from spetrace.session.assumptions import Assumptions
from spetrace.session.event_run import Addresses


@dataclass(frozen=True)
class Placements:
    """The mappings of the buffers that stand when a log begins: events in one stretch of it."""

    place: int
    """Place in the log of the first of them."""
    ipa: Mapping[int, Addresses]
    """Per seed their IPAs, in log order; nothing else of them differs by seed."""


def buffer_placements(assembly: Assembly, seeds: Sequence[int]) -> Placements:
    """The buffers of an assembled session, scattered by each of `seeds`."""
    ipa = {}
    ts = 0
    for seed in seeds:
        choices = replace(assembly.choices, placement="scattered", placement_seed=seed)
        run = assembly.buffer_maps(choices, Assumptions())
        ipa[seed] = run.ipa
        ts = int(run.ts[0]) if len(run) else 0
    logs = [r.events for r in assembly.recordings if r.events is not None]
    # Of one time, the events of event logs come first.
    return Placements(sum(int((log["ts"].to_numpy() == ts).sum()) for log in logs), ipa)
