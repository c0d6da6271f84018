"""One table per tracepoint from its records."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.ingest.event_fields import Records, decode_fields
from spetrace.ingest.event_format import EventField, EventFormat, parse_event_format
from spetrace.ingest.field_type import FieldKind
from spetrace.ingest.trace_dat.metadata import Metadata
from spetrace.ingest.trace_dat.pages import Pages
from spetrace.ingest.trace_dat.records import Group
from spetrace.quality import Quality

_PID_LIMIT = 1 << 22
"""PID_MAX_LIMIT of 64-bit kernels (Linux 6.12 include/linux/threads.h)."""
_IDLE = "<idle>"


class Comms:
    """Command names by pid; pid 0 is `<idle>`, as trace-cmd names it."""

    def __init__(self, comms: dict[int, str]) -> None:
        known = {pid: comm for pid, comm in comms.items() if 0 < pid < _PID_LIMIT} | {0: _IDLE}
        names = sorted(set(known.values()))
        code = {name: i for i, name in enumerate(names)}
        self._names = pl.Series([*names, None], dtype=pl.Categorical)
        self._codes = np.full(max(known) + 2, len(names), np.uint32)
        self._codes[list(known)] = [code[name] for name in known.values()]

    def of(self, pids: npt.NDArray[np.int32]) -> pl.Series:
        """The names of `pids` as Categorical, null where unknown."""
        unknown = np.uint32(len(self._codes) - 1)
        return self._names[self._codes[np.minimum(pids.view(np.uint32), unknown)]]


class Streams(NamedTuple):
    """What is the same for all events of a stream, by stream number."""

    cpus: npt.NDArray[np.int32]
    instances: pl.Series | None
    """Names of the trace buffers; None where there is only the top one."""


def build_tables(
    groups: dict[int, Group],
    pages: Pages,
    streams: Streams,
    metadata: Metadata,
    big_endian: bool,
    quality: Quality,
) -> dict[str, pl.DataFrame]:
    """The tables by tracepoint name, as `Recording.tracepoints` describes them.

    Where two systems have events of one name, those after the first are called `system:name`.
    """
    tables: dict[str, pl.DataFrame] = {}
    names: set[str] = set()
    comms = Comms(metadata.comms)
    for id_, group in groups.items():
        system, text = metadata.formats[id_]
        try:
            format_ = parse_event_format(text, system, metadata.long_size)
        except InputError as error:
            quality.add("trace_unknown_events", len(group.places), str(error))
            continue
        name = format_.name if format_.name not in names else f"{system}:{format_.name}"
        name = _free_name(name, names)
        records = Records(pages.data, group.offsets, group.lengths, big_endian)
        tables[name] = _table(group, records, format_, streams, comms, quality)
    return tables


def _table(
    group: Group,
    records: Records,
    format_: EventFormat,
    streams: Streams,
    comms: Comms,
    quality: Quality,
) -> pl.DataFrame:
    pid_field = _pid_field(format_)
    own = decode_fields(
        records, format_.fields if pid_field is None else (pid_field, *format_.fields)
    )
    pids = own.pop(0).values if pid_field is not None else _absent("pid", len(group.places))
    columns = [
        pl.Series("index", group.places),
        pl.Series("time_ns", group.times),
        pl.Series("cpu", streams.cpus[group.streams]),
        pids.cast(pl.Int32, strict=False).alias("pid"),
        comms.of(pids.fill_null(_PID_LIMIT).to_numpy()).alias("comm"),
        _absent("tgid", len(group.places)),
    ]
    if streams.instances is not None:
        columns.append(streams.instances[group.streams].alias("instance"))
    taken = {column.name for column in columns}
    for field, (values, damaged) in zip(format_.fields, own, strict=True):
        quality.add("trace_damaged_fields", damaged, f"{format_.name}.{field.name}")
        columns.append(values.alias(_free_name(field.name, taken)))
    return pl.DataFrame(columns)


def _pid_field(format_: EventFormat) -> EventField | None:
    field = format_.common_field("common_pid")
    usable = field is not None and field.type.kind is FieldKind.INTEGER and field.size == 4
    return field if usable else None


def _absent(name: str, rows: int) -> pl.Series:
    return pl.Series(name, [None], pl.Int32).new_from_index(0, rows)


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, with `_f` behind it where it is taken already; takes it."""
    while name in taken:
        name += "_f"
    taken.add(name)
    return name
