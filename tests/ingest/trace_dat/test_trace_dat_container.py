"""Files of both versions: instances, compression, options, and what is found in cut ones."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence

import polars as pl
import pytest
from builders_trace_dat import ENTRY, PAGE, Cpu, Instance, Machine, TraceDat, build_format

from spetrace.errors import InputError
from spetrace.ingest.trace_dat.importer import read, sniff
from spetrace.tables.recording import Recording

LE = Machine()
COMPRESSIONS = ["none", "zlib", "zstd"]


def page(time: int, events: int = 3) -> bytes:
    return LE.page(time, *(LE.event(LE.entry(100, i), delta=1) for i in range(events)))


def two_cpus(**changes: object) -> TraceDat:
    cpus = [Cpu(0, page(10) + page(20) + page(30)), Cpu(3, page(15) + page(25))]
    return dataclasses.replace(TraceDat(instances=[Instance(cpus)]), **changes)


def stats(cpu: int, entries: int, overrun: int = 0, buffer: str = "") -> tuple[int, bytes]:
    text = f"CPU: {cpu}\nentries: {entries}\noverrun: {overrun}\nread events: 0\n"
    return 2, (f"\nBuffer: {buffer}\n\n" if buffer else text).encode() + b"\0"


def reread(file: bytes) -> Recording:
    return read("x", memoryview(file))


def rows(recording: Recording) -> list[tuple[int, int, int]]:
    table = recording.tracepoints["kvm_entry"]
    return table.select("time_ns", "cpu", "vcpu_pc").rows()


ALL_ROWS = rows(reread(two_cpus().v7()))


def test_sniff_knows_the_magic() -> None:
    assert sniff(two_cpus().v7()[:100])
    assert not sniff(b"PERFILE2")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_versions_and_compressions_hold_the_same(compression: str) -> None:
    recording = reread(two_cpus(compression=compression).v7())
    assert rows(recording) == ALL_ROWS
    assert len(ALL_ROWS) == 15
    assert recording.format == "trace.dat v7"
    assert recording.properties["compression"] == compression
    assert recording.quality.counts == {}


@pytest.mark.parametrize("machine", [Machine(">", 4), Machine("<", 8)], ids=str)
def test_version_6_with_instances(machine: Machine) -> None:
    event = machine.event(machine.entry(7, 9))
    top = Instance([Cpu(0, machine.page(1, event)), Cpu(1, machine.page(3, event))], clock="mono")
    other = Instance([Cpu(0, b""), Cpu(1, machine.page(2, event))], name="inst", clock="mono")
    recording = reread(TraceDat(machine, instances=[top, other]).v6())
    assert (recording.format, recording.clock) == ("trace.dat v6", "mono")
    table = recording.tracepoints["kvm_entry"]
    assert table["time_ns"].to_list() == [1, 2, 3]
    assert table["instance"].to_list() == [None, "inst", None]
    assert recording.properties["instances"] == ["inst"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_version_7_merges_instances_behind_the_top_buffer(compression: str) -> None:
    one = Instance([Cpu(0, page(10))], name="one", clock="mono")
    top = Instance([Cpu(0, page(10))], clock="boot")
    recording = reread(TraceDat(instances=[one, top], compression=compression).v7())
    assert recording.clock == "boot"
    table = recording.tracepoints["kvm_entry"]
    assert table["time_ns"].to_list() == [11, 11, 12, 12, 13, 13]
    assert table["instance"].to_list() == [None, "one"] * 3


def test_top_buffer_alone_has_no_instance_column() -> None:
    assert "instance" not in reread(two_cpus().v7()).tracepoints["kvm_entry"].columns


@pytest.mark.parametrize(
    ("clock", "is_ns"),
    [("local", True), ("boot", True), ("counter", False), ("uptime", False), ("x86-tsc", False)],
)
def test_clock_says_whether_times_are_ns(clock: str, is_ns: bool) -> None:
    recording = reread(TraceDat(instances=[Instance([Cpu(0, page(1))], clock=clock)]).v7())
    assert (recording.clock, recording.clock_is_ns) == (clock, is_ns)


def test_properties_tell_of_the_recording() -> None:
    guest = b"vm1\0" + struct.pack("<QIIIII", 0xABC, 2, 0, 500, 1, 501)
    options = [
        (5, b"Linux l1 6.12 aarch64\0"),
        (9, b"3.3.1\0"),
        (11, struct.pack("<Q", 0x1234)),
        (13, guest),
        stats(0, 9, overrun=4),
        stats(3, 6),
        (8, struct.pack("<I", 4)),
    ]
    recording = reread(two_cpus(options=options).v7())
    facts = recording.properties
    assert facts["uname"] == "Linux l1 6.12 aarch64"
    assert facts["trace_cmd_version"] == "3.3.1"
    assert facts["trace_id"] == "0x0000000000001234"
    assert facts["guests"] == [
        {"name": "vm1", "trace_id": "0x0000000000000abc", "vcpu_tids": {"0": 500, "1": 501}}
    ]
    assert facts["cpu_stats"][0] == {"cpu": 0, "entries": 9, "overrun": 4, "read_events": 0}
    assert facts["cpus"] == 4
    assert facts["events"] == {"kvm_entry": 15}
    assert recording.quality.counts == {"trace_overrun_events": 4}


def test_stats_behind_a_buffer_line_are_that_instance_s() -> None:
    options = [stats(0, 1), stats(0, 0, buffer="inst"), stats(0, 2)]
    found = reread(two_cpus(options=options).v7()).properties["cpu_stats"]
    assert [s.get("buffer") for s in found] == [None, "inst"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_file_without_its_last_options_is_salvaged(compression: str) -> None:
    file = two_cpus(compression=compression, options=[stats(0, 9), stats(1, 0), stats(3, 6)]).v7()
    whole = reread(file)
    cut = reread(
        file[: file.rindex(struct.pack("<HHi", 0, 0, -1)) - 1 if compression == "none" else -40]
    )
    assert rows(whole) == ALL_ROWS
    assert {cpu for _, cpu, _ in rows(cut)} <= {0, 3}
    assert len(rows(cut)) >= 12
    assert cut.quality.counts["file_truncated_bytes"] > 0


def test_file_without_options_offset_is_salvaged() -> None:
    file = bytearray(two_cpus(options=[stats(0, 9), stats(3, 6)]).v7())
    place = file.index(b"none\0" + b"1\0") + 7
    file[place : place + 8] = bytes(8)
    recording = reread(bytes(file))
    assert rows(recording) == ALL_ROWS
    assert recording.quality.counts["file_truncated_bytes"] > 0


def test_salvaged_cpus_without_stats_are_numbered_in_order() -> None:
    file = two_cpus().v7()
    recording = reread(file[:-30])
    assert {cpu for _, cpu, _ in rows(recording)} == {0, 1}


@pytest.mark.parametrize("version", ["v6", "v7"])
def test_cpu_data_beyond_the_end_is_counted(version: str) -> None:
    file = getattr(two_cpus(instances=[Instance([Cpu(0, page(10)), Cpu(1, page(20))])]), version)()
    if version == "v7":
        at = file.rindex(struct.pack("<QQ", file.index(page(20)), PAGE))
        file = file[: at + 8] + struct.pack("<Q", 9 * PAGE) + file[at + 16 :]
    else:
        file = file[:-100]
    recording = reread(file)
    assert len(rows(recording)) == 6
    assert recording.quality.counts["file_truncated_bytes"] > 0


def test_damaged_chunk_gives_what_stands_before() -> None:
    file = bytearray(two_cpus(compression="zstd").v7())
    chunk = two_cpus(compression="zstd").compress(page(30))
    at = bytes(file).index(chunk)
    file[at : at + 4] = b"\0\0\0\0"
    recording = reread(bytes(file))
    assert len(rows(recording)) == 12
    assert recording.quality.counts == {"trace_damaged_sections": 1}


def test_chunk_that_claims_too_much_is_refused() -> None:
    file = bytearray(two_cpus(compression="zstd").v7())
    chunk = two_cpus(compression="zstd").compress(page(30))
    at = bytes(file).index(chunk)
    file[at - 4 : at] = struct.pack("<I", 1 << 29)
    recording = reread(bytes(file))
    assert "claim to hold 536870912" in recording.quality.details["trace_damaged_sections"]


def test_cpus_that_share_bytes_are_refused() -> None:
    file = two_cpus(instances=[Instance([Cpu(0, page(10)), Cpu(1, page(20))])]).v7()
    first, second = file.index(page(10)), file.index(page(20))
    at = file.rindex(struct.pack("<QQ", second, PAGE))
    file = file[:at] + struct.pack("<Q", first) + file[at + 8 :]
    with pytest.raises(InputError, match="overlaps"):
        reread(file)


def test_formats_of_one_name_get_their_system() -> None:
    other = build_format("kvm_entry", 8, ("int x", 8, 4, 1))
    events = [LE.event(LE.entry(1, 1)), LE.event(LE.record(8, 1, LE.pack("i", -5)))]
    instances = [Instance([Cpu(0, LE.page(1, *events))])]
    tables = reread(TraceDat(formats=[ENTRY, other], instances=instances).v7()).tracepoints
    assert tables["kvm_entry"].columns[-1] == "vcpu_pc"
    assert tables["kvm:kvm_entry"]["x"].to_list() == [-5]


def test_field_named_like_a_fixed_column_gets_a_suffix() -> None:
    wakeup = build_format("wakeup", 8, ("char comm[4]", 8, 4, 0), ("pid_t pid", 12, 4, 1))
    pages = LE.page(1, LE.event(LE.record(8, 100, b"init" + LE.pack("i", 1))))
    file = TraceDat(formats=[wakeup], instances=[Instance([Cpu(0, pages)])]).v7()
    table = reread(file).tracepoints["wakeup"]
    assert table.row(0, named=True) == {
        "index": 0,
        "time_ns": 1,
        "cpu": 0,
        "pid": 100,
        "comm": "vcpu 0",
        "tgid": None,
        "comm_f": "init",
        "pid_f": 1,
    }


def test_format_without_common_pid_has_no_thread() -> None:
    bare = "name: bare\nID: 7\nformat:\n\tfield:int x;\toffset:4;\tsize:4;\tsigned:1;\n"
    file = TraceDat(formats=[bare], instances=[Instance([Cpu(0, page(1, 1))])]).v7()
    table = reread(file).tracepoints["bare"]
    assert table.select("pid", "comm", "x").rows() == [(None, None, 100)]


@pytest.mark.parametrize("id_", [8, 32])
@pytest.mark.parametrize("version", ["v6", "v7"])
def test_saved_tgids_name_the_processes(id_: int, version: str) -> None:
    events = [LE.event(LE.entry(pid, 1)) for pid in (100, 101, 102, 0, -1)]
    options = [(id_, b"100 90\n101 91\n0 5\nnonsense\n99 0\n9999999 3\n\0")]
    file = TraceDat(instances=[Instance([Cpu(0, LE.page(1, *events))])], options=options)
    recording = reread(getattr(file, version)())
    tgids = recording.tracepoints["kvm_entry"]["tgid"]
    assert tgids.to_list() == [90, 91, None, None, None]
    assert tgids.dtype == pl.Int32
    assert recording.properties["cpus"] == 1


def test_pid_0_is_idle() -> None:
    pages = LE.page(1, LE.event(LE.entry(0, 1)))
    file = TraceDat(instances=[Instance([Cpu(0, pages)])]).v7()
    assert reread(file).tracepoints["kvm_entry"]["comm"].to_list() == ["<idle>"]


def refused() -> Sequence[tuple[str, bytes, str]]:
    v7, v6 = two_cpus().v7(), two_cpus().v6()
    return [
        ("prologue", v7[:14], "needs 4 bytes"),
        ("version", v7.replace(b"tracing7", b"tracing9", 1), "version '9'"),
        ("endianness", v7[:12] + b"\5" + v7[13:], "endianness 5"),
        ("page size", v7[:14] + bytes(4) + v7[18:], "page size of 0"),
        ("compression", v7.replace(b"none\0", b"lzma\0", 1), "compression 'lzma'"),
        ("no buffer", two_cpus(instances=[]).v7(), "no trace data"),
        ("no text", two_cpus(instances=[], options=[(22, bytes(10))]).v7(), "instead of 22"),
        ("cut before the data", v7[:300], "byte"),
        ("cut v6", v6[:300], "byte"),
        ("latency", v6.replace(b"flyrecord\0", b"latency  \0"), "text"),
        ("tag", v6.replace(b"flyrecord\0", b"flyswatter"), "tagged"),
        ("old kernel", v6.replace(b"type_len ", b"type_xyz "), "2.6.30"),
    ]


@pytest.mark.parametrize(
    ("file", "cause"), [(f, c) for _, f, c in refused()], ids=[name for name, _, _ in refused()]
)
def test_what_cannot_be_read_is_an_input_error(file: bytes, cause: str) -> None:
    with pytest.raises(InputError, match=cause):
        reread(file)


def test_options_that_come_back_to_themselves_end() -> None:
    file = bytearray(two_cpus().v7())
    first = struct.unpack_from("<Q", file, file.index(b"none\0") + 7)[0]
    file[-8:] = struct.pack("<Q", first)
    recording = reread(bytes(file))
    assert rows(recording) == ALL_ROWS
    assert "come back" in recording.quality.details["file_truncated_bytes"]
