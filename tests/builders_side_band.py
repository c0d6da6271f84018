"""Side-band records for tests: mappings, build ids, names and forks of threads."""

from __future__ import annotations

from builders_perf_data import PerfData

from spetrace.ingest.perf_data.abi import RecordType

BUILD_ID = bytes(range(20))
WITH_BUILD_ID, DATA, SIZE_TOLD = 1 << 14, 1 << 13, 1 << 15


def path_bytes(path: str) -> bytes:
    text = path.encode() + b"\0"
    return text + bytes(-len(text) % 8)


def mmap(file: PerfData, path: str, *, pid: int = 40, misc: int = 0, time: int = 1000) -> bytes:
    body = file.pack("IIQQQ", pid, 41, 0x1000, 0x2000, 0x30) + path_bytes(path)
    return file.record(RecordType.MMAP, body + file.sample_id(time=time), misc)


def mmap2(
    file: PerfData, path: str, build_id: bytes | None = None, *, prot: int = 5, time: int = 1000
) -> bytes:
    body = file.pack("IIQQQ", 40, 41, 0x1000, 0x2000, 0x30)
    if build_id is None:
        body += file.pack("IIQQ", 8, 1, 1234, 1)
    else:
        body += bytes([len(build_id), 0, 0, 0]) + build_id.ljust(20, b"\xee")
    body += file.pack("II", prot, 2) + path_bytes(path) + file.sample_id(time=time)
    return file.record(RecordType.MMAP2, body, 0 if build_id is None else WITH_BUILD_ID)


def build_id_record(file: PerfData, path: str, build_id: bytes, *, told: bool = True) -> bytes:
    body = file.pack("i", -1) + build_id.ljust(20, b"\0") + bytes([len(build_id), 0, 0, 0])
    record_type = RecordType.HEADER_BUILD_ID
    return file.record(record_type, body + path_bytes(path), SIZE_TOLD if told else 0)


def comm(file: PerfData, name: str, tid: int, time: int, pid: int = 40) -> bytes:
    text = name.encode() + b"\0"
    text += bytes(-len(text) % 8)
    body = file.pack("II", pid, tid) + text + file.sample_id(pid=pid, tid=tid, time=time)
    return file.record(RecordType.COMM, body)


def fork(file: PerfData, tid: int, parent: int, time: int, pid: int = 40) -> bytes:
    body = file.pack("IIIIQ", pid, pid, tid, parent, time) + file.sample_id(time=time)
    return file.record(RecordType.FORK, body)
