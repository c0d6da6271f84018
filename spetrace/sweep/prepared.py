"""A session prepared for many replays: what all of them read, in files that are memory-mapped.

A folder of one session holds its timeline, so that a replay of it begins at once and the processes
that work on it share its pages: `streams.arrow` (a row per vCPU with its columns as lists),
`items.arrow`, `times.arrow`, and, where the buffers' places are drawn anew for each seed,
`placements.arrow` (a batch of IPAs per seed). `prepared.json` says the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.errors import InputError
from spetrace.replay.near import mark_near
from spetrace.replay.parameters import Parameters
from spetrace.replay.streams import Stream
from spetrace.replay.timeline import Timeline, build_timeline
from spetrace.sweep.plan import PREPARED_VERSION

DESCRIPTION: Final = "prepared.json"
FILES: Final = (DESCRIPTION, "times.arrow", "streams.arrow", "items.arrow", "placements.arrow")
_LISTS: Final = [f.name for f in fields(Stream) if f.name not in ("vm", "vcpu")]
_TIMELINES_KEPT: Final = 2


@dataclass(frozen=True)
class PlacementMaps:
    """The events of a log that map buffers, whose IPAs differ by seed."""

    place: int
    """Place in the log of the first of them."""
    ipa: Mapping[int, np.ndarray[tuple[int], np.dtype[np.uint64]]]
    """Per seed their IPAs, in log order."""


def save_prepared(
    folder: Path, events: pa.Table, parameters: Parameters, placements: PlacementMaps | None
) -> None:
    """Write what replays of `events` under `parameters` and any others of their page size need.

    `placements` holds the seeds of a placement that is drawn anew; None for a session as it is.
    """
    timeline = build_timeline(events, parameters.page_size, outcomes=False)
    _write(folder / "times.arrow", [events.select(["ts"]).combine_chunks()])
    _write(folder / "streams.arrow", [_stream_row(stream) for stream in timeline.streams])
    items = timeline.rows.to_arrow(compat_level=pl.CompatLevel.newest())
    _write(folder / "items.arrow", [items])
    if placements:
        rows = [pa.table({"ipa": pa.array(ipa)}) for ipa in placements.ipa.values()]
        _write(folder / "placements.arrow", rows)
    facts = {
        "version": PREPARED_VERSION,
        "parameters": parameters.to_json(),
        "starts": [[vm, *start] for vm, start in timeline.starts.items()],
        "seeds": list(placements.ipa) if placements else [],
        "place": placements.place if placements else None,
    }
    (folder / DESCRIPTION).write_text(json.dumps(facts), encoding="utf-8")


def _stream_row(stream: Stream) -> pa.Table:
    columns = {"vm": pa.array([stream.vm]), "vcpu": pa.array([stream.vcpu])}
    for name in _LISTS:
        values = pa.array(getattr(stream, name))
        offsets = pa.array([0, len(values)], pa.int64())
        columns[name] = pa.LargeListArray.from_arrays(offsets, values)
    return pa.table(columns)


def _write(path: Path, tables: list[pa.Table]) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)


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
        self._placements = _mapped(folder / "placements.arrow") if self._seeds else None
        streams = _mapped(folder / "streams.arrow")
        self._base = Timeline(
            _mapped(folder / "times.arrow").read_all(),
            {vm: (place, ts) for vm, place, ts in facts["starts"]},
            [_stream_of(streams.get_batch(i)) for i in range(streams.num_record_batches)],
            None,
            pl.DataFrame(_mapped(folder / "items.arrow").read_all()),
        )

    def _timeline_of(self, seed: int | None) -> Timeline:
        """The timeline with the buffers where `seed` puts them; None: where they are."""
        if seed is None:
            return self._base
        assert self._placements is not None
        ipa = pl.Series("ipa", self._placements.get_batch(self._seeds[seed]).column("ipa"))
        rows = self._base.rows
        first = int(rows["place"].search_sorted(self._place))
        moved = pl.concat([rows["ipa"][:first], ipa, rows["ipa"][first + len(ipa) :]])
        rows = rows.with_columns(moved.alias("ipa"))
        rows = rows.with_columns(mark_near(rows, self.parameters.page_size))
        base = self._base
        return Timeline(base.events, base.starts, base.streams, None, rows)


def _mapped(path: Path) -> pa.RecordBatchFileReader:
    return pa.ipc.open_file(pa.memory_map(str(path)))


def _stream_of(row: pa.RecordBatch) -> Stream:
    lists = {name: row.column(name).flatten().to_numpy() for name in _LISTS}
    return Stream(row.column("vm")[0].as_py(), row.column("vcpu")[0].as_py(), **lists)
