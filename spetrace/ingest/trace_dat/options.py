"""Options: the list of a version 6 file, the chain of sections of a version 7 file."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat import sections
from spetrace.ingest.trace_dat.compression import Decompressor


class OptionId(IntEnum):
    """Option numbers (trace-cmd 3.4, include/private/trace-cmd-private.h)."""

    DONE = 0
    DATE = 1
    CPUSTAT = 2
    BUFFER = 3
    TRACECLOCK = 4
    UNAME = 5
    HOOK = 6
    OFFSET = 7
    CPUCOUNT = 8
    VERSION = 9
    PROCMAPS = 10
    TRACEID = 11
    TIME_SHIFT = 12
    GUEST = 13
    TSC2NSEC = 14
    BUFFER_TEXT = 22
    SAVED_TGIDS = 32


_MAX_OPTIONS = 1 << 18


class Option(NamedTuple):
    """One option: its number and its bytes."""

    id: int
    data: memoryview

    def text(self) -> str:
        """The data as text, up to a NUL."""
        return bytes(self.data).split(b"\0", 1)[0].decode("utf-8", "replace").strip()

    def cursor(self, order: str) -> Cursor:
        """A cursor over the data."""
        return Cursor(self.data, f"trace.dat option {self.id}", order=order)


def read_v6_options(cursor: Cursor) -> list[Option]:
    """Read options up to the closing id 0."""
    options: list[Option] = []
    while (id_ := cursor.u16()) != OptionId.DONE:
        _add(options, Option(id_, cursor.take(cursor.u32())), cursor)
    return options


class OptionChain(NamedTuple):
    """The options of all sections, and where the chain broke off (None: it is whole)."""

    options: list[Option]
    broken: InputError | None


def read_option_chain(
    data: memoryview, order: str, offset: int, decompressor: Decompressor
) -> OptionChain:
    """Read the options sections from the one at `offset` on, as far as they are readable.

    An `offset` of 0 is that of a file whose writer was killed: the chain is broken.
    """
    options: list[Option] = []
    seen: set[int] = set()
    try:
        if not offset:
            raise InputError("trace.dat prologue", "names no options: its writer was killed")
        while offset:
            if offset in seen:
                raise InputError("trace.dat options", "come back to themselves", offset=offset)
            seen.add(offset)
            section = sections.find_section(data, order, offset, sections.OPTIONS)
            cursor = sections.open_section(data, order, section, decompressor)
            offset = read_options_section(cursor, options)
    except InputError as error:
        return OptionChain(options, error)
    return OptionChain(options, None)


def find_options(
    data: memoryview, order: str, offset: int, decompressor: Decompressor
) -> list[Option]:
    """The options of all sections from `offset` on that can be read, for a chain without a start."""
    options: list[Option] = []
    for section in sections.iter_sections(data, order, offset):
        if section.id == sections.OPTIONS:
            try:
                cursor = sections.open_section(data, order, section, decompressor)
                read_options_section(cursor, options)
            except InputError:
                continue
    return options


def read_options_section(cursor: Cursor, options: list[Option]) -> int:
    """Read one options section into `options`; returns the offset of the next, 0 for none."""
    while True:
        id_, size = cursor.unpack("HI")
        data = cursor.take(size)
        if id_ == OptionId.DONE:
            return Option(id_, data).cursor(cursor.order).u64()
        _add(options, Option(id_, data), cursor)


def _add(options: list[Option], option: Option, cursor: Cursor) -> None:
    if len(options) == _MAX_OPTIONS:
        raise cursor.error(f"there are more than {_MAX_OPTIONS} options")
    options.append(option)
