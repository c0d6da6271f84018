"""A session prepared for many replays: what all of them read, in files that are memory-mapped.

A folder of one session holds its timeline, so that a replay of it begins at once and the processes
that work on it share its pages: `streams.arrow` and `items.arrow` (a batch per window of the log)
and, where the buffers' places are drawn anew for each seed, `placements.arrow` (a batch of IPAs per
seed). `prepared.json` says the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.errors import InputError
from spetrace.replay.near import NearPages
from spetrace.replay.parameters import Parameters
from spetrace.replay.timeline import Timeline, build_timeline
from spetrace.replay.window import StoredWindows, Window, WindowWriter
from spetrace.sweep.plan import PREPARED_VERSION

DESCRIPTION: Final = "prepared.json"
FILES: Final = (DESCRIPTION, "streams.arrow", "items.arrow", "placements.arrow")
_TIMELINES_KEPT: Final = 2


@dataclass(frozen=True)
class PlacementMaps:
    """The events of a log that map buffers, whose IPAs differ by seed."""

    place: int
    """Place in the log of the first of them."""
    ipa: Mapping[int, np.ndarray[tuple[int], np.dtype[np.uint64]]]
    """Per seed their IPAs, in log order."""


def save_prepared(
    folder: Path,
    events: pa.Table | Iterable[pa.RecordBatch],
    parameters: Parameters,
    placements: PlacementMaps | None,
) -> None:
    """Write what replays of `events` under `parameters` and any others of their page size need.

    `placements` holds the seeds of a placement that is drawn anew; None for a session as it is.
    """
    with (
        pa.OSFile(str(folder / "streams.arrow"), "wb") as streams,
        pa.OSFile(str(folder / "items.arrow"), "wb") as items,
    ):
        writer = WindowWriter(streams, items)
        timeline = build_timeline(events, parameters.page_size, keep=writer.write_all)
        writer.close()
    if placements:
        _write_placements(folder / "placements.arrow", placements)
    facts = {
        "version": PREPARED_VERSION,
        "parameters": parameters.to_json(),
        "windows": writer.counts,
        "span": timeline.span,
        "starts": [[vm, *start] for vm, start in timeline.starts.items()],
        "vcpus": timeline.vcpus,
        "seeds": list(placements.ipa) if placements else [],
        "place": placements.place if placements else None,
    }
    (folder / DESCRIPTION).write_text(json.dumps(facts), encoding="utf-8")


def _write_placements(path: Path, placements: PlacementMaps) -> None:
    schema = pa.schema([("ipa", pa.uint64())])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for ipa in placements.ipa.values():
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array(ipa)], schema=schema))


class PreparedSession:
    """A folder that `save_prepared` wrote, opened for replays.

    Raises InputError where it is incomplete or another version's.
    """

    def __init__(self, folder: Path) -> None:
        try:
            facts = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            if facts["version"] != PREPARED_VERSION:
                raise ValueError(f"version {facts['version']}")
            self._open(folder, facts)
        except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
            cause = f"not as a sweep leaves it: {type(error).__name__}: {error}"
            raise InputError("prepared session", cause, file=str(folder)) from error
        self.timeline = lru_cache(_TIMELINES_KEPT)(self._timeline_of)

    def _open(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self.parameters = Parameters().updated(facts["parameters"])
        """The session's own, over the defaults."""
        self._place = facts["place"]
        self._seeds: dict[int, int] = {seed: batch for batch, seed in enumerate(facts["seeds"])}
        self._placements = (
            pa.ipc.open_file(_mapped(folder / "placements.arrow")) if self._seeds else None
        )
        windows = StoredWindows(
            _mapped(folder / "streams.arrow"), _mapped(folder / "items.arrow"), facts["windows"]
        )
        self._base = Timeline(
            sum(facts["windows"]),
            tuple(facts["span"]),
            {vm: (place, ts) for vm, place, ts in facts["starts"]},
            [(vm, vcpu) for vm, vcpu in facts["vcpus"]],
            self._near(windows),
            windows,
            has_rows=False,
        )

    def _near(self, windows: Iterable[Window]) -> NearPages:
        return NearPages(self.parameters.page_size, (window.items for window in windows))

    def _timeline_of(self, seed: int | None) -> Timeline:
        """The timeline with the buffers where `seed` puts them; None: where they are."""
        if seed is None:
            return self._base
        assert self._placements is not None
        ipa = pl.Series("ipa", self._placements.get_batch(self._seeds[seed]).column("ipa"))
        windows = MovedBuffers(self._base.windows, self._place, ipa)
        return replace(self._base, near=self._near(windows), windows=windows)


@dataclass(frozen=True)
class MovedBuffers:
    """The windows of a log with other IPAs in its items from one on, which map the buffers."""

    windows: Iterable[Window]
    place: int
    """Place in the log of the first such item."""
    ipa: pl.Series

    def __iter__(self) -> Iterator[Window]:
        """Window by window, with those IPAs."""
        first = done = 0
        for window in self.windows:
            start = int(window.items["place"].search_sorted(max(self.place - first, 0)))
            moved = self.ipa[done : done + len(window.items) - start]
            done += len(moved)
            first += window.count
            yield replace(window, items=_with_ipa(window.items, start, moved))


def _with_ipa(items: pl.DataFrame, start: int, ipa: pl.Series) -> pl.DataFrame:
    """Items with other IPAs from the row `start` on."""
    own = items["ipa"]
    return items.with_columns(pl.concat([own[:start], ipa, own[start + len(ipa) :]]))


def _mapped(path: Path) -> pa.MemoryMappedFile:
    return pa.memory_map(str(path))
