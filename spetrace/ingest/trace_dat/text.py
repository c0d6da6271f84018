"""trace.dat files of latency tracers (trace-cmd record -p wakeup): the kernel's text instead of records."""

from __future__ import annotations

from dataclasses import replace

from spetrace.errors import InputError
from spetrace.ingest.event_text.importer import read as read_event_text
from spetrace.ingest.trace_dat.container import Container
from spetrace.ingest.trace_dat.properties import clock_name, describe
from spetrace.tables.recording import Recording


def read_text(name: str, container: Container) -> Recording:
    """The recording whose events are the lines of the file's text.

    Raises InputError where no line can be read.
    """
    text = container.text
    if text is None or not len(text):
        raise InputError("trace.dat text", "is empty", offset=len(container.data))
    recording = read_event_text(name, text)
    recording.quality.merge(container.quality)
    counts = {event: len(frame) for event, frame in recording.tracepoints.items()}
    return replace(
        recording,
        format=f"trace.dat v{container.prologue.version} (text)",
        size_bytes=len(container.data),
        clock=clock_name(container) or recording.clock,
        properties=recording.properties | describe(container, counts),
    )
