"""A trace.dat file taken apart: what describes the records, the options, the buffers."""

from __future__ import annotations

from dataclasses import dataclass, field

from spetrace.errors import InputError
from spetrace.ingest import trace_metadata as blocks
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat import sections
from spetrace.ingest.trace_dat.buffers import (
    FLYRECORD,
    TAG_BYTES,
    Buffer,
    read_v6_buffers,
    read_v7_buffer,
    read_v7_text,
)
from spetrace.ingest.trace_dat.compression import Decompressor
from spetrace.ingest.trace_dat.options import (
    Option,
    OptionId,
    find_options,
    read_option_chain,
    read_v6_options,
)
from spetrace.ingest.trace_dat.prologue import Prologue, read_prologue
from spetrace.ingest.trace_dat.salvage import salvage_buffers
from spetrace.ingest.trace_dat.saved_tgids import holds_tgids
from spetrace.ingest.trace_metadata import Metadata
from spetrace.quality import Quality

_OPTIONS_TAG = b"options  \0"
_LATENCY_TAG = b"latency  \0"
_SECTIONS = (
    sections.HEADER_INFO,
    sections.FTRACE_FORMATS,
    sections.EVENT_FORMATS,
    sections.CMDLINES,
)


@dataclass
class Container:
    """The parts of one file, before any record is decoded."""

    data: memoryview
    prologue: Prologue
    metadata: Metadata
    decompressor: Decompressor
    quality: Quality
    options: list[Option] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    """The top one first, the instances as the file lists them."""
    text: memoryview | None = None
    """The text that a latency tracer's file holds instead of buffers."""

    def first(self, id_: OptionId) -> Option | None:
        """The first option of an id."""
        return next((o for o in self.options if o.id == id_), None)

    @property
    def cpu_count(self) -> int | None:
        """CPUs of the machine, where an option tells."""
        for option in self.options:
            if option.id == OptionId.CPUCOUNT and not holds_tgids(option):
                return option.cursor(self.prologue.order).u32()
        return None


def read_container(data: memoryview, quality: Quality) -> Container:
    """Take a file apart; what is missing at its end is counted in `quality`.

    Raises InputError where no trace data can be found or nothing tells how to read it.
    """
    prologue = read_prologue(data)
    decompressor = Decompressor(prologue.compression)
    container = Container(data, prologue, Metadata(prologue.long_size), decompressor, quality)
    if prologue.version == 6:
        _read_v6(container)
    else:
        _read_v7(container)
    container.buffers.sort(key=lambda buffer: buffer.name != "")
    return container


def _read_v6(container: Container) -> None:
    prologue = container.prologue
    cursor = Cursor(container.data, "trace.dat", prologue.body_offset, order=prologue.order)
    container.metadata = blocks.read_metadata(cursor, prologue.long_size)
    cpus = cursor.u32()
    tag = bytes(cursor.take(TAG_BYTES))
    if tag == _OPTIONS_TAG:
        container.options = read_v6_options(cursor)
        tag = bytes(cursor.take(TAG_BYTES))
    if tag == _LATENCY_TAG:
        container.text = cursor.take(cursor.left)
        return
    if tag != FLYRECORD:
        raise cursor.error(f"trace data tagged {tag!r} is not read")
    count = container.cpu_count
    cpus = cpus if count is None else count
    try:
        container.buffers.extend(read_v6_buffers(cursor, prologue, cpus, container.options))
    except InputError as error:
        if not container.buffers:
            raise
        container.quality.add("trace_damaged_sections", 1, str(error))


def _read_v7(container: Container) -> None:
    data, prologue = container.data, container.prologue
    chain = read_option_chain(data, prologue.order, prologue.options_offset, container.decompressor)
    container.options = chain.options
    if chain.broken and not chain.options:
        container.options = find_options(
            data, prologue.order, prologue.body_offset, container.decompressor
        )
    _read_sections(container)
    _read_v7_buffers(container)
    if chain.broken:
        _salvage(container, chain.broken)
    text = container.first(OptionId.BUFFER_TEXT)
    if text is not None and not any(buffer.cpus for buffer in container.buffers):
        container.text = read_v7_text(data, prologue, text, container.decompressor)
    elif not container.buffers:
        raise chain.broken or InputError("trace.dat", "has no trace data")


def _read_v7_buffers(container: Container) -> None:
    for option in container.options:
        if option.id == OptionId.BUFFER:
            try:
                buffer = read_v7_buffer(container.data, container.prologue, option)
            except InputError as error:
                container.quality.add("trace_damaged_sections", 1, str(error))
            else:
                container.buffers.append(buffer)


def _salvage(container: Container, broken: InputError) -> None:
    """Count what the end of the file lacks, and look for the data that no option tells of."""
    lacking = max((broken.offset or 0) - len(container.data), 1)
    container.quality.add("file_truncated_bytes", lacking, str(broken))
    known = {cpu.offset for buffer in container.buffers for cpu in buffer.cpus}
    container.buffers += salvage_buffers(
        container.data, container.prologue, container.options, known
    )


def _read_sections(container: Container) -> None:
    """Read the metadata sections that the options point at; only formats can't be missed."""
    order = container.prologue.order
    for option in container.options:
        if option.id not in _SECTIONS:
            continue
        try:
            offset = option.cursor(order).u64()
            section = sections.find_section(container.data, order, offset, option.id)
            _read_section(
                container.metadata,
                option.id,
                sections.open_section(container.data, order, section, container.decompressor),
            )
        except InputError as error:
            if option.id == sections.EVENT_FORMATS:
                raise
            container.quality.add("trace_damaged_sections", 1, str(error))


def _read_section(metadata: Metadata, id_: int, cursor: Cursor) -> None:
    if id_ == sections.HEADER_INFO:
        blocks.read_header_info(cursor, metadata)
    elif id_ == sections.FTRACE_FORMATS:
        metadata.add_formats(blocks.iter_ftrace_formats(cursor))
    elif id_ == sections.EVENT_FORMATS:
        metadata.add_formats(blocks.iter_event_formats(cursor))
    else:
        metadata.comms.update(blocks.read_cmdlines(cursor))
