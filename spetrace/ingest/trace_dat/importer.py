"""trace.dat, the file of trace-cmd record, as a recording."""

from __future__ import annotations

import numpy as np
import polars as pl

from spetrace.errors import InputError
from spetrace.ingest.event_format import parse_event_format
from spetrace.ingest.importer import Importer
from spetrace.ingest.trace_dat.container import Container, read_container
from spetrace.ingest.trace_dat.corrections import Corrections, read_corrections
from spetrace.ingest.trace_dat.cpu_stats import read_cpu_stats
from spetrace.ingest.trace_dat.event_stream import EventStream
from spetrace.ingest.trace_dat.frames import TraceFrames
from spetrace.ingest.trace_dat.pages import Pages, read_pages
from spetrace.ingest.trace_dat.prologue import MAGIC
from spetrace.ingest.trace_dat.properties import clock_is_ns, clock_name, describe
from spetrace.ingest.trace_dat.saved_tgids import read_saved_tgids
from spetrace.ingest.trace_dat.survey import RecordLayout, survey_pages
from spetrace.ingest.trace_dat.tables import Event, Streams, TableMaker, read_formats
from spetrace.ingest.trace_dat.text import read_text
from spetrace.ingest.trace_dat.threads import Threads
from spetrace.ingest.trace_metadata import Metadata
from spetrace.quality import Quality
from spetrace.tables.recording import Recording


def sniff(head: bytes) -> bool:
    """Whether a file that begins with `head` is a trace.dat."""
    return head.startswith(MAGIC)


def read(name: str, data: memoryview) -> Recording:
    """Read a trace.dat; its tables are decoded when they are asked for.

    Raises InputError where no record can be read.
    """
    quality = Quality()
    container = read_container(data, quality)
    corrections = read_corrections(container.options, container.prologue.order)
    for error in corrections.damaged:
        quality.add("trace_damaged_sections", 1, str(error))
    for stats in read_cpu_stats(container.options):
        quality.add("trace_overrun_events", stats.counts.get("overrun", 0))
    if container.text is not None:
        return read_text(name, container)
    frames = _read_frames(container, corrections)
    clock = clock_name(container)
    return Recording(
        name,
        f"trace.dat v{container.prologue.version}",
        len(data),
        clock=clock,
        clock_is_ns=clock_is_ns(clock, corrections),
        properties=describe(container, frames.counts),
        quality=quality,
        tracepoints=frames,
    )


def _read_frames(container: Container, corrections: Corrections) -> TraceFrames:
    pages = read_pages(container)
    big_endian = container.prologue.order == ">"
    metadata = container.metadata
    layout = RecordLayout(metadata.long_size, big_endian, _id_offset(metadata))
    stream, events = _survey(container, pages, layout, corrections)
    threads = Threads(metadata.comms, read_saved_tgids(container.options))
    maker = TableMaker(pages.data, _streams(container, pages), threads, big_endian)
    return TraceFrames(stream, events, maker, container.quality)


def _survey(
    container: Container, pages: Pages, layout: RecordLayout, corrections: Corrections
) -> tuple[EventStream, dict[int, Event]]:
    """The events of all formats that can be read, and these; what else is found is counted."""
    wanted = set(container.metadata.formats)
    survey = survey_pages(pages, layout, corrections, wanted)
    found = [id_ for id_ in np.flatnonzero(survey.id_counts).tolist() if id_ in wanted]
    formats = read_formats(container.metadata, found)
    if formats.damaged:
        wanted -= set(formats.damaged)
        survey = survey_pages(pages, layout, corrections, wanted)
    survey.count_losses(container.quality, wanted, formats.damaged)
    return EventStream(pages, layout, corrections, wanted, survey), formats.events


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
