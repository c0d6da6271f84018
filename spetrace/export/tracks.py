"""Tracks, and what lies on them: slices, instants and counters as columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

NEVER: Final = np.iinfo(np.int64).max
"""The end of a slice whose end is not known."""
Times = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]
"""Indices: of tracks, names or rows."""


class Kind(Enum):
    """What a row of `Marks` is."""

    SLICE = "slice"
    INSTANT = "instant"
    COUNTER = "counter"


class Form(Enum):
    """How an annotation is shown."""

    ADDRESS = "address"
    """An integer, in hexadecimal."""
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True)
class Track:
    """A line of the trace, named, below its parent; equal tracks are one track."""

    name: str
    parent: Track | None = None
    rank: int = 0
    """Place among its siblings."""
    pid: int | None = None
    """Of a track that is a process or thread."""
    tid: int | None = None
    """Of a track that is a thread."""
    unit: str | None = None
    """Of a counter: "bytes", or what it counts."""
    doc: str = ""
    lane: int = 0
    """Slices that overlap lie in different lanes, tracks that differ by this alone."""


@dataclass(frozen=True)
class Annotation:
    """A column of details."""

    form: Form
    values: npt.NDArray[Any]
    """Of an integer type or bool."""
    present: npt.NDArray[np.bool_]

    def take(self, rows: Places) -> Annotation:
        """Some of the rows."""
        return Annotation(self.form, self.values[rows], self.present[rows])


@dataclass(frozen=True)
class Marks:
    """Rows of one kind on some tracks."""

    kind: Kind
    category: str
    tracks: tuple[Track, ...]
    track: Places
    start: Times
    end: Times
    """Of slices; of counters until when the value holds; of instants as `start`."""
    names: tuple[str, ...] = ()
    name: Places = field(default_factory=lambda: np.zeros(0, np.int64))
    """Index into `names`; unused where these are none."""
    values: Times = field(default_factory=lambda: np.zeros(0, np.int64))
    """Of counters."""
    annotations: dict[str, Annotation] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: Places) -> Marks:
        """Some of the rows."""
        return replace(
            self,
            track=self.track[rows],
            start=self.start[rows],
            end=self.end[rows],
            name=self.name[rows] if len(self.name) else self.name,
            values=self.values[rows] if len(self.values) else self.values,
            annotations={k: a.take(rows) for k, a in self.annotations.items()},
        )
