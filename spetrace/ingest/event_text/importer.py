"""The importer of text logs: ftrace's trace and trace_pipe, trace-cmd report."""

from __future__ import annotations

from spetrace.ingest.event_text.contents import Contents
from spetrace.ingest.event_text.header import parse_header
from spetrace.ingest.event_text.lines import iter_lines, parse_lines
from spetrace.ingest.event_text.refusals import check_readable, refuse
from spetrace.ingest.importer import Importer
from spetrace.tables.recording import Recording

_HEAD_BYTES = 1 << 16


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is a text log: a known header, or lines of a known form."""
    return parse_header(head.decode("utf-8", "replace")).tool is not None


def read(name: str, data: memoryview) -> Recording:
    """A text log as a recording with `tracepoints`.

    Events of no known print format are kept where their text is a list of name=value. Times are
    ns where they are printed with a fraction, else as they are. Raises InputError for perf script's
    text, for ftrace's latency-format, raw, hex, bin and nocontext-info, and where no line is an
    event.
    """
    head = bytes(data[:_HEAD_BYTES]).decode("utf-8", "replace")
    header = parse_header(head)
    check_readable(header)
    contents = Contents(header)
    for chunk in iter_lines(data):
        contents.add(parse_lines(chunk, contents.index))
    if not contents.index and contents.unparsed:
        raise refuse(head)
    return contents.recording(name, len(data))


IMPORTER = Importer("trace text", sniff, read)
