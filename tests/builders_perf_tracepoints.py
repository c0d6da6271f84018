"""perf.data files with tracepoints, for tests: their formats and their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from builders_perf_data import SAMPLE_ID_ALL, PerfData
from builders_trace_dat import ENTRY, HEADER_EVENT, MAGIC, Machine, build_format

from spetrace.ingest.perf_data.abi import Feature, RecordType, SampleType

ENTRY_ID, NOTE_ID = 7, 9
NOTE = build_format("note", NOTE_ID, ("__data_loc char[] text", 8, 4, 0), ("int level", 12, 4, 1))
FORMATS = {"kvm": [ENTRY], "test": [NOTE]}
TRACED = (
    SampleType.IDENTIFIER
    | SampleType.IP
    | SampleType.TID
    | SampleType.TIME
    | SampleType.CPU
    | SampleType.PERIOD
    | SampleType.RAW
)
"""What perf record samples of tracepoints."""
ENTRY_EVENT, NOTE_EVENT = 300, 301
"""Ids of the events."""


def tracing_data(
    file: PerfData, formats: Mapping[str, Sequence[str]] = FORMATS, *, long_size: int = 8
) -> bytes:
    """The section TRACING_DATA with these format texts by system."""
    machine = Machine(file.order, long_size)

    def text(text: str) -> bytes:
        return file.pack("Q", len(text.encode())) + text.encode()

    head = MAGIC + b"0.6\0" + bytes([file.order == ">", long_size]) + file.pack("I", 4096)
    head += b"header_page\0" + text(machine.header_page())
    head += b"header_event\0" + text(HEADER_EVENT) + file.pack("II", 0, len(formats))
    for system, texts in formats.items():
        head += system.encode() + b"\0" + file.pack("I", len(texts)) + b"".join(map(text, texts))
    return head + file.pack("IIQ", 0, 0, 0)


def traced(
    order: str = "<", sample_type: int = TRACED, *, read_format: int = 0, clockid: int | None = None
) -> PerfData:
    """A file with the tracepoints kvm:kvm_entry and test:note and their formats, no samples yet."""
    file = PerfData(order)
    flags = SAMPLE_ID_ALL | (0 if clockid is None else 1 << 25)
    for id_, config in ((ENTRY_EVENT, ENTRY_ID), (NOTE_EVENT, NOTE_ID)):
        attr = file.attr(
            2,
            sample_type=sample_type,
            config=config,
            read_format=read_format,
            flags=flags,
            clockid=clockid or 0,
        )
        file.attrs.append((attr, [id_]))
    file.features[Feature.HOSTNAME] = file.string("box")
    file.features[Feature.TRACING_DATA] = tracing_data(file)
    file.features[Feature.EVENT_DESC] = file.event_descriptions(["kvm:kvm_entry", "test:note"])
    return file


def entry(file: PerfData, pc: int, *, pid: int = 41) -> bytes:
    """The kernel's record of kvm_entry."""
    return Machine(file.order).record(ENTRY_ID, pid, file.pack("Q", pc))


def note(file: PerfData, text: str, level: int, *, pid: int = 41) -> bytes:
    """The kernel's record of the event note."""
    encoded = text.encode() + b"\0"
    rest = file.pack("Ii", len(encoded) << 16 | 16, level) + encoded
    return Machine(file.order).record(NOTE_ID, pid, rest)


def sample(
    file: PerfData,
    raw: bytes,
    *,
    id_: int = ENTRY_EVENT,
    sample_type: int = TRACED,
    time: int = 1000,
    cpu: int = 0,
    pid: int = 40,
    tid: int = 41,
    before_raw: bytes = b"",
    after_raw: bytes = b"",
) -> bytes:
    """A sample; READ and CALLCHAIN, and what comes after RAW, are given as bytes."""
    fields = {
        SampleType.IDENTIFIER: file.pack("Q", id_),
        SampleType.IP: file.pack("Q", 0xFFFF_8000_0000_1000),
        SampleType.TID: file.pack("ii", pid, tid),
        SampleType.TIME: file.pack("Q", time),
        SampleType.ADDR: file.pack("Q", 5),
        SampleType.ID: file.pack("Q", id_),
        SampleType.STREAM_ID: file.pack("Q", 6),
        SampleType.CPU: file.pack("iI", cpu, 0),
        SampleType.PERIOD: file.pack("Q", 1),
    }
    body = b"".join(value for field, value in fields.items() if sample_type & field) + before_raw
    if sample_type & SampleType.RAW:
        padded = raw + bytes(-(len(raw) + 4) % 8)
        body += file.pack("I", len(padded)) + padded
    return file.record(RecordType.SAMPLE, body + after_raw)


def pipe(file: PerfData) -> bytes:
    """The file in pipe mode, TRACING_DATA as the record that perf makes of it."""
    features = dict(file.features)
    section = features.pop(Feature.TRACING_DATA, None)
    records = list(file.records)
    if section is not None:
        padded = section + bytes(-len(section) % 8)
        header = file.record(RecordType.HEADER_TRACING_DATA, file.pack("II", len(padded), 0))
        records.insert(0, header + padded)
    piped = PerfData(file.order, file.attrs, records, features)
    return piped.build_pipe()
