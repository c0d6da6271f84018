"""Builds trace.dat files by hand: pages, sections, options, of either byte order and long size."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

MAGIC = b"\x17\x08\x44tracing"
PAGE = 4096
HEADER_EVENT = (
    "# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n"
    "\tarray       :   32 bits\n\n\tpadding     : type == 29\n\ttime_extend : type == 30\n"
    "\ttime_stamp : type == 31\n\tdata max type_len  == 28\n"
)
COMMON = (
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
)


def build_format(name: str, id_: int, *fields: tuple[str, int, int, int | None]) -> str:
    """A format text; fields are (declaration, offset, size, signed)."""
    lines = "".join(
        f"\tfield:{declaration};\toffset:{offset};\tsize:{size};"
        + ("" if signed is None else f"\tsigned:{signed};")
        + "\n"
        for declaration, offset, size, signed in fields
    )
    return f'name: {name}\nID: {id_}\nformat:\n{COMMON}{lines}\nprint fmt: "x"\n'


ENTRY = build_format("kvm_entry", 7, ("unsigned long vcpu_pc", 8, 8, 0))


@dataclass(frozen=True)
class Machine:
    """Byte order and the kernel's long size."""

    order: str = "<"
    long_size: int = 8

    def pack(self, layout: str, *values: int | bytes) -> bytes:
        return struct.pack(self.order + layout, *values)

    def header_page(self, page_size: int = PAGE) -> str:
        data = 8 + self.long_size
        return (
            "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
            f"\tfield: local_t commit;\toffset:8;\tsize:{self.long_size};\tsigned:1;\n"
            "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
            f"\tfield: char data;\toffset:{data};\tsize:{page_size - data};\tsigned:0;\n"
        )

    def word(self, kind: int, delta: int) -> bytes:
        """An event header."""
        return self.pack("I", kind | delta << 5 if self.order == "<" else kind << 27 | delta)

    def record(self, id_: int, pid: int, rest: bytes) -> bytes:
        """A record: the common fields and what follows them."""
        return self.pack("HBBi", id_, 0, 0, pid) + rest

    def entry(self, pid: int, pc: int) -> bytes:
        """A record of the event ENTRY."""
        return self.record(7, pid, self.pack("Q", pc))

    def event(self, record: bytes, delta: int = 0) -> bytes:
        """A data event, in the short form (type_len is the number of words)."""
        assert len(record) % 4 == 0
        assert 0 < len(record) // 4 < 29
        return self.word(len(record) // 4, delta) + record

    def long_event(self, record: bytes, delta: int = 0) -> bytes:
        """A data event with its length in a word of its own (type_len 0)."""
        padding = b"\0" * (-len(record) % 4)
        return self.word(0, delta) + self.pack("I", len(record) + 4) + record + padding

    def page(
        self, time: int, *events: bytes, flags: int = 0, lost: int | None = None, size: int = PAGE
    ) -> bytes:
        """A page: bit 31 of `flags` = events missed; `lost`, their number, is stored and flagged."""
        data = b"".join(events)
        commit = len(data) | flags | (0 if lost is None else 3 << 30)
        long = "Q" if self.long_size == 8 else "I"
        tail = b"" if lost is None else self.pack(long, lost)
        page = self.pack("Q", time) + self.pack(long, commit) + data + tail
        assert len(page) <= size
        return page.ljust(size, b"\xaa")


@dataclass
class Cpu:
    """The pages of one CPU."""

    number: int
    pages: bytes


@dataclass
class Instance:
    """One trace buffer."""

    cpus: Sequence[Cpu]
    name: str = ""
    clock: str = "local"


@dataclass
class TraceDat:
    """What a file is to hold."""

    machine: Machine = field(default_factory=Machine)
    formats: Sequence[str] = (ENTRY,)
    instances: Sequence[Instance] = ()
    options: Sequence[tuple[int, bytes]] = ()
    cmdlines: str = "100 vcpu 0\n"
    compression: str = "none"
    page_size: int = PAGE
    text: str | None = None
    """What a latency tracer's file holds instead of buffers."""

    def _prologue(self, version: str) -> bytes:
        big = self.machine.order == ">"
        return (
            MAGIC
            + version.encode()
            + b"\0"
            + bytes([big, 8])
            + self.machine.pack("I", self.page_size)
        )

    def _text(self, text: str, size: str = "Q") -> bytes:
        return self.machine.pack(size, len(text)) + text.encode()

    def _header_info(self) -> bytes:
        page, event = self._text(self.machine.header_page(self.page_size)), self._text(HEADER_EVENT)
        return b"header_page\0" + page + b"header_event\0" + event

    def _formats(self) -> bytes:
        count = self.machine.pack("I", len(self.formats))
        texts = b"".join(self._text(text) for text in self.formats)
        return self.machine.pack("I", 1) + b"kvm\0" + count + texts

    def v6(self) -> bytes:
        """A version 6 file."""
        pack = self.machine.pack
        top, *others = self.instances or [Instance([])]
        head = self._prologue("6") + self._header_info() + pack("I", 0) + self._formats()
        head += self._text("", "I") + self._text("", "I") + self._text(self.cmdlines)
        cpus = len(top.cpus)
        options = [*self.options, (8, pack("I", cpus))]
        options.append((4, f"{top.clock} [{top.clock}]".encode()))
        clock = self._text(f"[{top.clock}]")
        option_bytes = sum(6 + len(data) for _, data in options) + 2
        option_bytes += sum(6 + 8 + len(other.name) + 1 for other in others)
        table_bytes = 16 * cpus + len(clock)
        at = len(head) + 4 + 10 + option_bytes + 10 + table_bytes
        body, place = bytearray(), -(-at // self.page_size) * self.page_size
        table = self._v6_table(top, place, body)
        for other in others:
            start = place + len(body)
            tag = b"flyrecord\0"
            first_page = start + len(tag) + table_bytes
            first_page += -first_page % self.page_size
            pages = bytearray()
            body += tag + self._v6_table(other, first_page, pages) + clock
            body += bytes(first_page - place - len(body)) + pages
            options.append((3, pack("Q", start) + other.name.encode() + b"\0"))
        packed = b"".join(pack("HI", id_, len(data)) + data for id_, data in options) + pack("H", 0)
        head += pack("I", cpus) + b"options  \0" + packed
        if self.text is not None:
            return head + b"latency  \0" + self.text.encode()
        head += b"flyrecord\0" + table + clock
        return head.ljust(place, b"\0") + body

    def _v6_table(self, instance: Instance, place: int, body: bytearray) -> bytes:
        table = b""
        for cpu in instance.cpus:
            table += self.machine.pack("QQ", place + len(body), len(cpu.pages))
            body += cpu.pages
        return table

    def compress(self, data: bytes) -> bytes:
        if self.compression == "zlib":
            return zlib.compress(data)
        return bytes(pa.Codec("zstd").compress(data))

    def _section(self, id_: int, content: bytes) -> bytes:
        compressed = self.compression != "none"
        if compressed:
            packed = self.compress(content)
            content = self.machine.pack("II", len(packed), len(content)) + packed
        return self.machine.pack("HHiQ", id_, compressed, -1, len(content)) + content

    def _options_section(self, options: Sequence[tuple[int, bytes]], after: int | None) -> bytes:
        """An options section; `after` is the offset of the next, None for that of its own end."""
        pack = self.machine.pack
        packed = b"".join(pack("HI", id_, len(data)) + data for id_, data in options)
        return packed + pack("HIQ", 0, 8, after or 0)

    def _chunks(self, pages: bytes) -> bytes:
        if self.compression == "none":
            return pages
        pieces = [pages[i : i + 2 * PAGE] for i in range(0, len(pages), 2 * PAGE)]
        packed = [(self.compress(piece), len(piece)) for piece in pieces]
        head = self.machine.pack("I", len(pieces))
        return head + b"".join(self.machine.pack("II", len(p), n) + p for p, n in packed)

    def v7(self) -> bytes:
        """A version 7 file: metadata, options, then each buffer with an options section."""
        pack = self.machine.pack
        prologue = self._prologue("7") + self.compression.encode() + b"\0" + b"1\0"
        file = bytearray(prologue + bytes(8))
        options = list(self.options)
        for id_, content in (
            (16, self._header_info()),
            (17, pack("I", 0)),
            (18, self._formats()),
            (21, self._text(self.cmdlines)),
        ):
            options.append((id_, pack("Q", len(file))))
            file += self._section(id_, content)
        file[len(prologue) : len(prologue) + 8] = pack("Q", len(file))
        # Whether compressed or not, DONE's offset does not change a section's size here: the
        # options are stored uncompressed.
        for instance in self.instances:
            content = self._options_section(options, None)
            start = len(file) + 16 + len(content)
            buffer, option = self._buffer(instance, start)
            content = self._options_section(options, start + len(buffer))
            file += pack("HHiQ", 0, 0, -1, len(content)) + content + buffer
            options = [(3, option)]
        if self.text is not None:
            section = self._text_section(self.text.encode())
            start = len(file)
            file += section
            options.append((22, pack("Q", start) + b"\0local\0"))
            if not self.instances:
                file[len(prologue) : len(prologue) + 8] = pack("Q", len(file))
        content = self._options_section(options, None)
        return bytes(file + pack("HHiQ", 0, 0, -1, len(content)) + content)

    def _text_section(self, text: bytes) -> bytes:
        compressed = self.compression != "none"
        body = self._chunks(text) if compressed else text
        return self.machine.pack("HHiQ", 22, compressed, -1, len(body)) + body

    def _buffer(self, instance: Instance, start: int) -> tuple[bytes, bytes]:
        pack = self.machine.pack
        body = bytearray()
        option = pack("Q", start) + instance.name.encode() + b"\0" + instance.clock.encode() + b"\0"
        option += pack("II", self.page_size, len(instance.cpus))
        for cpu in instance.cpus:
            place = -(-(start + 16 + len(body)) // self.page_size) * self.page_size
            body += bytes(place - start - 16 - len(body))
            chunks = self._chunks(cpu.pages)
            option += pack("IQQ", cpu.number, place, len(chunks))
            body += chunks
        compressed = self.compression != "none"
        return pack("HHiQ", 3, compressed, -1, len(body)) + bytes(body), option
