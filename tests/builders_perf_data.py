"""perf.data files for tests, built field by field, in either byte order and mode."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from spetrace.ingest.perf_data.abi import Feature, RecordType

SPE_TYPE = 9
SOFTWARE_TYPE = 1
SAMPLE_TYPE = 1 << 1 | 1 << 2 | 1 << 7 | 1 << 16
"""TID, TIME, CPU, IDENTIFIER."""
SAMPLE_ID_ALL = 1 << 18
NOBODY = 0xFFFF_FFFF
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass
class PerfData:
    """A file to be built; `order` is "<" or ">". `records` come one after another in the data."""

    order: str = "<"
    attrs: list[tuple[bytes, list[int]]] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    features: dict[int, bytes] = field(default_factory=dict)
    header_size: int = 104
    data_size: int | None = None

    def pack(self, format_: str, *values: int) -> bytes:
        return struct.pack(self.order + format_, *values)

    def string(self, text: str) -> bytes:
        padded = text.encode() + b"\0"
        padded += bytes(-len(padded) % 64)
        return self.pack("I", len(padded)) + padded

    def strings(self, texts: Sequence[str]) -> bytes:
        return self.pack("I", len(texts)) + b"".join(map(self.string, texts))

    def attr(
        self,
        type_: int = SPE_TYPE,
        *,
        sample_type: int = SAMPLE_TYPE,
        flags: int = SAMPLE_ID_ALL,
        size: int = 128,
        config: int = 1,
        clockid: int = 0,
        read_format: int = 0,
    ) -> bytes:
        bits = flags.to_bytes(8, "little")
        bits = bits if self.order == "<" else bits.translate(_REVERSED)
        head = self.pack("IIQQQQ", type_, size, config, 1024, sample_type, read_format) + bits
        return (head.ljust(92, b"\0") + self.pack("i", clockid)).ljust(size, b"\0")[:size]

    def record(self, type_: int, body: bytes = b"", misc: int = 0) -> bytes:
        return self.pack("IHH", type_, misc, 8 + len(body)) + body

    def add(self, type_: int, body: bytes = b"") -> None:
        self.records.append(self.record(type_, body))

    def sample_id(
        self, cpu: int = 0, id_: int = 100, *, pid: int = 40, tid: int = 41, time: int = 1000
    ) -> bytes:
        return self.pack("IIQIIQ", pid, tid, time, cpu, 0, id_)

    def aux(
        self, offset: int, size: int, flags: int = 0, *, trailer: bytes | None = None, cpu: int = 0
    ) -> bytes:
        trailer = self.sample_id(cpu, 100 + cpu) if trailer is None else trailer
        return self.record(RecordType.AUX, self.pack("QQQ", offset, size, flags) + trailer)

    def auxtrace(
        self,
        offset: int,
        payload: bytes,
        *,
        cpu: int = 0,
        idx: int | None = None,
        tid: int = NOBODY,
    ) -> bytes:
        """A chunk, padded with zeros to a multiple of 8 bytes as perf does."""
        padded = payload + bytes(-len(payload) % 8)
        idx = cpu if idx is None else idx
        body = self.pack("QQQIIII", len(padded), offset, 0, idx, tid, cpu, 0)
        return self.record(RecordType.AUXTRACE, body) + padded

    def auxtrace_info(self, *words: int, type_: int = 4) -> bytes:
        words = words or (SPE_TYPE, 1)
        body = self.pack("II", type_, 0) + self.pack(f"{len(words)}Q", *words)
        return self.record(RecordType.AUXTRACE_INFO, body)

    def time_conv(self, shift: int = 10, multiplier: int = 40960, zero: int = 1000) -> bytes:
        return self.record(RecordType.TIME_CONV, self.pack("QQQ", shift, multiplier, zero))

    def id_index(self, entries: Sequence[tuple[int, int]]) -> bytes:
        """Pairs of event id and mmap index."""
        rows = b"".join(self.pack("QQQQ", id_, idx, 0, 0) for id_, idx in entries)
        return self.record(RecordType.ID_INDEX, self.pack("Q", len(entries)) + rows)

    def event_descriptions(self, names: Sequence[str]) -> bytes:
        """The EVENT_DESC section that names the attrs."""
        described = zip(self.attrs, names, strict=True)
        return self.pack("II", len(names), 128) + b"".join(
            attr.ljust(128, b"\0")
            + self.pack("I", len(ids))
            + self.string(name)
            + self.pack(f"{len(ids)}Q", *ids)
            for (attr, ids), name in described
        )

    def build(self) -> bytes:
        """The file in file mode: header, ids, attrs, data, feature table and sections."""
        body, ids = b"", []
        for _, event_ids in self.attrs:
            ids.append((self.header_size + len(body), 8 * len(event_ids)))
            body += self.pack(f"{len(event_ids)}Q", *event_ids)
        attrs_offset = self.header_size + len(body)
        for (attr, _), section in zip(self.attrs, ids, strict=True):
            body += attr + self.pack("QQ", *section)
        data_offset = self.header_size + len(body)
        data = b"".join(self.records)
        header = self._header(attrs_offset, data_offset, len(data))
        return header + body + data + self._feature_sections(data_offset + len(data))

    def build_pipe(self) -> bytes:
        """The file in pipe mode: attrs, then features, as records before all others."""
        attrs = b"".join(
            self.record(RecordType.HEADER_ATTR, attr + self.pack(f"{len(ids)}Q", *ids))
            for attr, ids in self.attrs
        )
        features = b"".join(
            self.record(RecordType.HEADER_FEATURE, self.pack("Q", bit) + section)
            for bit, section in self.features.items()
        )
        return self._magic() + self.pack("Q", 16) + attrs + features + b"".join(self.records)

    def _magic(self) -> bytes:
        return b"PERFILE2" if self.order == "<" else b"2ELIFREP"

    def _header(self, attrs_offset: int, data_offset: int, data_size: int) -> bytes:
        attr_bytes = len(self.attrs[0][0]) + 16 if self.attrs else 144
        data_size = data_size if self.data_size is None else self.data_size
        sections = (attrs_offset, data_offset - attrs_offset, data_offset, data_size, 0, 0)
        bitmap = [sum(1 << bit % 64 for bit in self.features if bit // 64 == n) for n in range(4)]
        head = self._magic() + self.pack("8Q", self.header_size, attr_bytes, *sections)
        return (head + self.pack("4Q", *bitmap))[: self.header_size]

    def _feature_sections(self, at: int) -> bytes:
        bits = sorted(self.features)
        table, sections = b"", b""
        for bit in bits:
            table += self.pack("QQ", at + 16 * len(bits) + len(sections), len(self.features[bit]))
            sections += self.features[bit]
        return table + sections


def spe_perf_data(order: str = "<", cpus: int = 1, *, attr_size: int = 128) -> PerfData:
    """A file with an SPE event on `cpus` CPUs (ids from 100) and its AUXTRACE_INFO, no data yet."""
    file = PerfData(order)
    file.attrs = [(file.attr(size=attr_size), [100 + cpu for cpu in range(cpus)])]
    file.records = [file.auxtrace_info()]
    file.features = {
        Feature.HOSTNAME: file.string("box"),
        Feature.CPUID: file.string("0x00000000410fd0c0"),
        Feature.CMDLINE: file.strings(["perf", "record", "-m", ",2M", "-e", "arm_spe//"]),
    }
    return file
