"""trace.dat, the file of trace-cmd record, as a recording."""

from __future__ import annotations

import numpy as np
import polars as pl

from spetrace.errors import InputError
from spetrace.ingest.event_format import parse_event_format
from spetrace.ingest.importer import Importer
from spetrace.ingest.trace_dat.container import Container, read_container
from spetrace.ingest.trace_dat.corrections import read_corrections
from spetrace.ingest.trace_dat.cpu_stats import read_cpu_stats
from spetrace.ingest.trace_dat.metadata import Metadata
from spetrace.ingest.trace_dat.pages import Pages, read_pages
from spetrace.ingest.trace_dat.prologue import MAGIC
from spetrace.ingest.trace_dat.properties import clock_is_ns, clock_name, describe
from spetrace.ingest.trace_dat.records import RecordLayout, read_groups
from spetrace.ingest.trace_dat.tables import Streams, build_tables
from spetrace.quality import Quality
from spetrace.tables.recording import Recording


def sniff(head: bytes) -> bool:
    """Whether a file that begins with `head` is a trace.dat."""
    return head.startswith(MAGIC)


def read(name: str, data: memoryview) -> Recording:
    """Read a trace.dat; raises InputError where no record can be read."""
    quality = Quality()
    container = read_container(data, quality)
    pages = read_pages(container)
    big_endian = container.prologue.order == ">"
    layout = RecordLayout(container.metadata.long_size, big_endian, _id_offset(container.metadata))
    corrections = read_corrections(container.options, container.prologue.order)
    for error in corrections.damaged:
        quality.add("trace_damaged_sections", 1, str(error))
    for stats in read_cpu_stats(container.options):
        quality.add("trace_overrun_events", stats.counts.get("overrun", 0))
    groups = read_groups(pages, layout, corrections, set(container.metadata.formats), quality)
    tables = build_tables(
        groups, pages, _streams(container, pages), container.metadata, big_endian, quality
    )
    clock = clock_name(container)
    return Recording(
        name,
        f"trace.dat v{container.prologue.version}",
        len(data),
        clock=clock,
        clock_is_ns=clock_is_ns(clock, corrections),
        properties=describe(container, tables),
        quality=quality,
        tracepoints=tables,
    )


def _id_offset(metadata: Metadata) -> int:
    """Where the event id is in every record: by the first format that can be read."""
    for system, text in metadata.formats.values():
        try:
            field = parse_event_format(text, system).common_field("common_type")
        except InputError:
            continue
        if field is not None and field.size == 2 and field.offset < 1 << 16:
            return field.offset
    return 0


def _streams(container: Container, pages: Pages) -> Streams:
    cpus = np.array([s.cpu for s in pages.streams], np.int64).astype(np.int32)
    instances = None
    if len({b.name for b in container.buffers}) > 1:
        names = [container.buffers[s.buffer].name or None for s in pages.streams]
        instances = pl.Series(names, dtype=pl.Categorical)
    return Streams(cpus, instances)


IMPORTER = Importer("trace.dat", sniff, read)
