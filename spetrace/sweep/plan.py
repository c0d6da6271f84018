"""The runs of a sweep, each with an id that stands for all its result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spetrace.errors import UsageError
from spetrace.replay.parameters import Parameters
from spetrace.replay.semantics import SEMANTICS_VERSION
from spetrace.sweep.grid import Settings, count_points, nested, points
from spetrace.tables.results import COUNTERS

ID_DIGITS: Final = 16
PREPARED_VERSION: Final = 2
"""Of the files of a prepared session."""


@dataclass(frozen=True)
class Capture:
    """One capture of a sweep, as its runs know it."""

    name: str
    content: str
    """Hash of its files and of all choices but the grid's that its session depends on."""
    shaped_by: tuple[str, ...]
    """The parameters that its session depends on, not only the replay of it."""
    seeds: tuple[int, ...] = ()
    """The placements to replay it with; none where one session stands for it."""
    placement_seed: int | None = None
    """The seed that its buffers are scattered by where there are no `seeds`; None: they are not."""


@dataclass(frozen=True)
class SweepRun:
    """One replay of a sweep: a session, the parameters given for it, a placement."""

    run_id: str
    capture: str
    session: str
    """Key of the prepared session."""
    point: Mapping[str, Any]
    """The grid's parameters by name."""
    placement_seed: int | None
    """The seed of its buffers' places; None where they are not scattered."""
    redrawn: bool
    """Whether the seed is one of several that the prepared session holds."""

    @property
    def given(self) -> dict[str, Any]:
        """The grid's parameters as a replay takes them."""
        return nested(self.point)


def digest(value: Any) -> str:
    """A short hash of anything that is JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def session_key(capture: Capture, point: Mapping[str, Any]) -> str:
    """The key of the session that a point of a capture is replayed on."""
    shape = {name: point[name] for name in capture.shaped_by if name in point}
    places = capture.seeds or capture.placement_seed
    return digest([PREPARED_VERSION, capture.content, shape, places])


def plan_runs(captures: Sequence[Capture], settings: Settings) -> list[SweepRun]:
    """All runs: capture by capture, those of one session and placement together."""
    return [run for capture in captures for run in _runs_of(capture, settings)]


def check_size(captures: Iterable[Capture], settings: Settings, limit: int) -> None:
    """Raise UsageError where a sweep has more than `limit` runs."""
    grid = count_points(settings)
    places = [max(len(capture.seeds), 1) for capture in captures]
    runs = grid * sum(places)
    if runs > limit:
        most = f" at up to {max(places):,} placements" if max(places) > 1 else ""
        raise UsageError(
            f"a sweep of {runs:,} runs ({grid:,} points of the grid for {len(places)} "
            f"captures{most}) is above the limit of {limit:,}: give fewer values, or --max-runs"
        )


def _runs_of(capture: Capture, settings: Settings) -> Iterator[SweepRun]:
    first = [name for name in settings if name in capture.shaped_by]
    rest = [name for name in settings if name not in capture.shaped_by]
    for shape in points({name: settings[name] for name in first}):
        key = session_key(capture, shape)
        for seed in capture.seeds or (capture.placement_seed,):
            for other in points({name: settings[name] for name in rest}):
                point = {name: (shape | other)[name] for name in settings}
                run_id = _run_id(capture, point, seed)
                yield SweepRun(run_id, capture.name, key, point, seed, bool(capture.seeds))


def _run_id(capture: Capture, point: Mapping[str, Any], seed: int | None) -> str:
    defaults = Parameters().to_json()
    known = [SEMANTICS_VERSION, list(COUNTERS), defaults]
    return digest([*known, capture.content, dict(point), seed])
