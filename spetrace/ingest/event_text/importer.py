"""The importer of text logs: ftrace's trace and trace_pipe, trace-cmd report, perf script."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from spetrace.ingest.event_text.chunks import iter_chunks
from spetrace.ingest.event_text.contents import Contents
from spetrace.ingest.event_text.header import Header, parse_header
from spetrace.ingest.event_text.refusals import check_readable
from spetrace.ingest.event_text.scan import AsText, Scan, scan_chunk
from spetrace.ingest.importer import Importer
from spetrace.tables.recording import Recording

_HEAD_BYTES = 1 << 16
_MOST_THREADS = 4


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is a text log: a known header, or lines of a known form."""
    return parse_header(head).tool is not None


def read(name: str, data: memoryview) -> Recording:
    """A text log as a recording with `tracepoints`.

    Events of no known print format are kept where their text is a list of name=value. Times are
    ns where they are printed with a fraction, else as they are. What perf script doesn't print
    (-F) is null. Raises InputError for ftrace's raw, hex, bin and nocontext-info, for perf
    script's text without times, texts or tracepoints, and where no line is an event.
    """
    head = bytes(data[:_HEAD_BYTES])
    header = parse_header(head)
    contents = _read(data, header, frozenset())
    mixed = contents.tables.mixed()
    if mixed:
        contents = _read(data, header, mixed)
    check_readable(contents, head)
    return contents.recording(name, len(data))


def _read(data: memoryview, header: Header, as_text: AsText) -> Contents:
    contents = Contents(header)
    for scan in _scans(data, header.tool, as_text):
        contents.add(scan)
    return contents


def _scans(data: memoryview, tool: str | None, as_text: AsText) -> Iterator[Scan]:
    """The chunks in their order, read by as many threads as there are CPUs, up to 4."""
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Scan]] = deque()
        for chunk in iter_chunks(data):
            waiting.append(pool.submit(scan_chunk, chunk, tool, as_text))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


IMPORTER = Importer("trace text", sniff, read)
