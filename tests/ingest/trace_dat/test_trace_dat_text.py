"""Files of latency tracers hold the kernel's text: its lines are the events."""

from __future__ import annotations

import pytest
from builders_trace_dat import Cpu, Instance, Machine, TraceDat

from spetrace.errors import InputError
from spetrace.ingest.trace_dat.importer import read
from spetrace.tables.recording import Recording

LE = Machine()
LINE = "      kvm-vcpu-0-100     [001] d..1.    10.{:06d}: kvm_entry: PC: 0x{:016x}\n"
HEAD = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 500/500   #P:2\n#\n"
TEXT = HEAD + "".join(LINE.format(n, 0x1000 + n) for n in range(500))
LATENCY = """# tracer: wakeup
#
# wakeup latency trace v1.1.5 on 6.12.0
# --------------------------------------------------------------------
# latency: 21 us, #2/2, CPU#1 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:2)
#    -----------------
#    | task: kvm-vcpu-0-100 (uid:0 nice:0 policy:0 rt_prio:0)
#    -----------------
#
#                    _------=> CPU#
#                   / _-----=> irqs-off/BH-disabled
#                  | / _----=> need-resched
#                  || / _---=> hardirq/softirq
#                  ||| / _--=> preempt-depth
#                  |||| / _-=> migrate-disable
#                  ||||| /     delay
#  cmd     pid     |||||| time  |   caller
#     \\   /        ||||||  \\    |    /
kvm-vcpu-0-100      1d..1.    4us : kvm_entry: PC: 0x0000000000001000
kvm-vcpu-0-100      1d..1.   21us!: kvm_entry: PC: 0x0000000000001004
"""


def texts(file: bytes) -> Recording:
    return read("x", memoryview(file))


@pytest.mark.parametrize(
    ("version", "compression"), [("v6", "none"), ("v7", "none"), ("v7", "zlib"), ("v7", "zstd")]
)
def test_text_of_either_version_is_read(version: str, compression: str) -> None:
    options = [(5, b"Linux l1 6.12 aarch64\0")]
    file = TraceDat(text=TEXT, compression=compression, options=options)
    recording = texts(getattr(file, version)())
    assert recording.format == f"trace.dat {version} (text)"
    table = recording.tracepoints["kvm_entry"]
    assert len(table) == 500
    assert table.select("time_ns", "cpu", "pid", "vcpu_pc").row(7) == (10_000_007_000, 1, 100, 4103)
    assert recording.properties["uname"] == "Linux l1 6.12 aarch64"
    assert recording.properties["events"] == {"kvm_entry": 500}
    assert recording.quality.counts == {}


def test_latency_format_is_read() -> None:
    recording = texts(TraceDat(text=LATENCY).v6())
    table = recording.tracepoints["kvm_entry"]
    assert table["vcpu_pc"].to_list() == [0x1000, 0x1004]
    assert table["time_ns"].to_list() == [4000, 21000]
    assert recording.properties["times_since"] == "the buffer's start"


def test_buffers_go_before_text() -> None:
    page = LE.page(1, LE.event(LE.entry(100, 5)))
    recording = texts(TraceDat(instances=[Instance([Cpu(0, page)])], text=TEXT).v7())
    assert recording.format == "trace.dat v7"
    assert recording.tracepoints["kvm_entry"]["vcpu_pc"].to_list() == [5]


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_cut_text_gives_its_lines(compression: str) -> None:
    file = TraceDat(text=TEXT, compression=compression).v6()
    recording = texts(file[:-700])
    assert 400 < len(recording.tracepoints["kvm_entry"]) < 500


def test_text_without_lines_is_an_error() -> None:
    with pytest.raises(InputError, match="is empty"):
        texts(TraceDat(text="").v6())


def test_option_that_points_at_no_text_is_an_error() -> None:
    with pytest.raises(InputError, match="instead of 22"):
        texts(TraceDat(options=[(22, bytes(10))]).v7())
