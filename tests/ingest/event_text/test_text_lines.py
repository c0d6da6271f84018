from __future__ import annotations

import polars as pl
import pytest
from text_logs import counts, read_text, rows

from spetrace.ingest.event_text.importer import sniff

PC = "PC: 0xffff800081080000"
ENTRY = {"vcpu_pc": 0xFFFF800081080000, "index": 0}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"     kvm-vcpu-0-2658    [001] d....   714.986984: kvm_entry: {PC}",
         {"comm": "kvm-vcpu-0", "pid": 2658, "cpu": 1, "time_ns": 714986984000}),
        (f"     kvm-vcpu-0-2658    [001]   714.986984: kvm_entry: {PC}",
         {"comm": "kvm-vcpu-0", "pid": 2658, "cpu": 1, "time_ns": 714986984000}),
        (f"      CPU 0/KVM-2345    (   2340) [002] d..1.  1203.000001: kvm_entry: {PC}\r",
         {"comm": "CPU 0/KVM", "pid": 2345, "tgid": 2340, "cpu": 2, "time_ns": 1203000001000}),
        (f"      CPU 0/KVM-2345    (-------) [002] d..1  1203.000001: kvm_entry: {PC}",
         {"comm": "CPU 0/KVM", "pid": 2345, "cpu": 2, "time_ns": 1203000001000}),
        (f"          <idle>-0       [127] d....     0.000002: kvm_entry: {PC}",
         {"comm": "<idle>", "pid": 0, "cpu": 127, "time_ns": 2000}),
        (f"           <...>-31      [000] d....     0.000002: kvm_entry: {PC}",
         {"pid": 31, "cpu": 0, "time_ns": 2000}),
        (f"   a-5 [001] b-1-77      [000] d....     0.000002: kvm_entry: {PC}",
         {"comm": "a-5 [001] b-1", "pid": 77, "cpu": 0, "time_ns": 2000}),
        (f"                -77      [000] d....     0.000002: kvm_entry: {PC}",
         {"comm": "", "pid": 77, "cpu": 0, "time_ns": 2000}),
        (f"            a: b-77      [000] d....     0.000002: kvm_entry: {PC}",
         {"comm": "a: b", "pid": 77, "cpu": 0, "time_ns": 2000}),
        (f"     kworker/0:1-77      [000] d....     0.000002: kvm_entry: {PC}",
         {"comm": "kworker/0:1", "pid": 77, "cpu": 0, "time_ns": 2000}),
        (f"      kvm-vcpu-0-566   [000] d....   165.639788123: kvm_entry:            {PC}",
         {"comm": "kvm-vcpu-0", "pid": 566, "cpu": 0, "time_ns": 165639788123}),
        ("      CPU 0/KVM-2345  [002]-0x1  1203.123456: kvm_entry:             vcpu_pc=0xffff800081080000",
         {"comm": "CPU 0/KVM", "pid": 2345, "cpu": 2, "time_ns": 1203123456000}),
        (f" CPU 0/K-2345    2d..1.  1203.123456789: kvm_entry:            {PC}",
         {"comm": "CPU 0/K", "pid": 2345, "cpu": 2, "time_ns": 1203123456789}),
        (f"       CPU 0/KVM-2345  [002] d..1.  1203.123456789 (+0.000000042): kvm_entry:            {PC}",
         {"comm": "CPU 0/KVM", "pid": 2345, "cpu": 2, "time_ns": 1203123456789}),
        (f" CPU 0/K-2345    2-0x0  1203.123456: kvm_entry:            {PC}",
         {"comm": "CPU 0/K", "pid": 2345, "cpu": 2, "time_ns": 1203123456000}),
        (f"fmtz:       CPU 0/KVM-2345  [002]  1203.123456: kvm_entry:            {PC}",
         {"comm": "CPU 0/KVM", "pid": 2345, "cpu": 2, "time_ns": 1203123456000, "instance": "fmtz"}),
    ],
)  # fmt: skip
def test_line_forms(line: str, expected: dict) -> None:
    recording = read_text(line + "\n")
    assert rows(recording, "kvm_entry") == [ENTRY | expected]
    assert recording.clock_is_ns
    assert not recording.quality.counts


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"kvm-vcpu-2658      1d.... 4888974us : kvm_entry: {PC}", {"comm": "kvm-vcpu", "pid": 2658, "cpu": 1, "time_ns": 4888974000}),
        (f"CPU 0/KV-2658     12d..1. 4888974us!: kvm_entry: {PC}", {"comm": "CPU 0/KV", "pid": 2658, "cpu": 12, "time_ns": 4888974000}),
    ],
)  # fmt: skip
def test_line_of_latency_format(line: str, expected: dict) -> None:
    recording = read_text(line)
    assert rows(recording, "kvm_entry") == [ENTRY | expected]
    assert recording.properties["times_since"] == "the buffer's start"
    assert recording.quality.counts == {"text_times_without_clock": 1}


@pytest.mark.parametrize(
    ("line", "time"),
    [
        (f"       CPU 0/KVM    2658   1 1 00000000 0000a0ff [2a34f085] 4888.974ms (+0.001ms): kvm_entry: {PC}", 0x2A34F085 * 1000),
        (f"       CPU 0/KVM    2658   1 1 00000000 0000a0ff [000000002a34f085] 4888 (+1): kvm_entry: {PC}", 0x2A34F085),
    ],
)  # fmt: skip
def test_line_of_verbose(line: str, time: int) -> None:
    recording = read_text(line)
    assert rows(recording, "kvm_entry") == [
        ENTRY | {"comm": "CPU 0/KVM", "pid": 2658, "cpu": 1, "time_ns": time}
    ]
    assert recording.clock_is_ns == ("ms (" in line)


@pytest.mark.parametrize(
    "line",
    [
        f"      kvm-vcpu-0-2658    [001] d....        71612: kvm_entry: {PC}",
        f"      kvm-vcpu-0-2658  [001]       71612: kvm_entry:            {PC}",
        f"      kvm-vcpu-0-2658  [001]71612: kvm_entry:            {PC}",
    ],
)
def test_line_plain_integer_time(line: str) -> None:
    recording = read_text(line)
    assert rows(recording, "kvm_entry")[0]["time_ns"] == 71612
    assert not recording.clock_is_ns
    assert "precision_ns" not in recording.properties


def test_line_columns_and_types() -> None:
    recording = read_text(f"      kvm-vcpu-0-2658    [001] d....   714.986984: kvm_entry: {PC}\n")
    assert dict(recording.tracepoints["kvm_entry"].schema) == {
        "index": pl.UInt64, "time_ns": pl.Int64, "cpu": pl.Int32, "pid": pl.Int32,
        "comm": pl.Categorical, "tgid": pl.Int32, "vcpu_pc": pl.UInt64,
    }  # fmt: skip
    assert recording.properties == {
        "tool": "ftrace", "source": "text", "precision_ns": 1000, "events": {"kvm_entry": 1},
    }  # fmt: skip


def test_line_order_is_index_order() -> None:
    lines = [
        f"      kvm-vcpu-0-1    [000] d....   0.00000{t}: {event}: {text}\n"
        for t, event, text in ((5, "kvm_entry", PC), (3, "kvm_handle_sys_reg", "HSR 0x62300400"), (4, "kvm_entry", PC))
    ]  # fmt: skip
    recording = read_text("".join(lines))
    assert recording.tracepoints["kvm_entry"]["index"].to_list() == [0, 2]
    assert recording.tracepoints["kvm_handle_sys_reg"]["index"].to_list() == [1]


def test_header_of_ftrace() -> None:
    recording = read_text("# tracer: nop\n#\n# entries-in-buffer/entries-written: 3/10   #P:4\n#\n")
    assert recording.properties == {"tool": "ftrace", "source": "text", "tracer": "nop", "cpus": 4, "events": {}}  # fmt: skip
    assert recording.quality.counts == {"trace_overrun_events": 7}
    assert recording.clock is None


def test_header_of_report_after_other_lines() -> None:
    text = (
        f"version = 7\nCPU 1 is empty\ncpus=8\n kvm-1  [000] 1.000000: kvm_entry:            {PC}\n"
    )
    recording = read_text(text)
    assert recording.format == "trace-cmd report (text)"
    assert recording.properties["cpus"] == 8
    assert not recording.quality.counts


def test_lost_marks() -> None:
    text = f"""
CPU:1 [LOST 141444 EVENTS]
      kvm-vcpu-0-2658    [001] d....   714.986984: kvm_entry: {PC}
CPU:0 [26387 EVENTS DROPPED]
inst1: CPU:0 [EVENTS DROPPED]
CPU:3 [LOST EVENTS]
##### CPU 2 buffer started ####
"""
    assert read_text(text).quality.counts == {"trace_lost_events": 167831, "trace_lost_unknown": 3}


def test_buffer_started_is_counted_by_the_header() -> None:
    text = "# tracer: nop\n# entries-in-buffer/entries-written: 3/10   #P:4\n##### CPU 2 buffer started ####\n"
    assert read_text(text).quality.counts == {"trace_overrun_events": 7}


def test_unparsed_lines_are_counted() -> None:
    text = f"""      kvm-vcpu-0-2658    [001] d....   714.986984: kvm_entry: {PC}
 => some_function
      kvm-vcpu-0-2658    [001] d....   714.986985: ksm_start_scan: seq 0 rmap size 0
      kvm-vcpu-0-2658    [001] d....   714.986986: kvm_entry: PC: 0xffff8
      kvm-vcpu-0-2658    [001] d....   99999999999.000000: kvm_entry: {PC}
      kvm-vcpu-0-2658    [001] d....   714.98"""
    recording = read_text(text)
    assert counts(recording) == {"kvm_entry": 1}
    assert recording.quality.counts == {"text_unparsed_lines": 5}
    assert "ksm_start_scan" in recording.quality.details["text_unparsed_lines"]


def test_torn_line_keeps_its_whole_event() -> None:
    whole = f"      kvm-vcpu-0-9686    [001] d....  2034.734789: kvm_entry: {PC}"
    starts = [
        "      kvm-vcpu-0-9686    [001] d....  2034.733749:",
        "      kvm-vcpu-0-9686    ",
        "      kvm-vcpu-0-9686    [001] .....  2034.749465: kvm_exit: TRAP: HSR_EC: 0x0018 (SYS",
        "      kvm-vcpu-0-9686    [001] d....  2034.749465: kvm_entry: PC:",
    ]
    recording = read_text("".join(f"{start}{whole}\n" for start in starts))
    assert counts(recording) == {"kvm_entry": 4}
    assert recording.tracepoints["kvm_entry"]["time_ns"].unique().to_list() == [2034734789000]
    assert recording.quality.counts == {"text_unparsed_lines": 4}


def test_marker_that_quotes_a_line_stays_whole() -> None:
    quoted = "      kvm-vcpu-0-9686    [001] d....  2034.734789: kvm_entry: PC"
    text = f"            bash-1       [000] .....  2034.0000001: tracing_mark_write: saw{quoted}"
    recording = read_text(text.replace("0000001", "000001"))
    assert rows(recording, "print")[0]["buf"] == "saw" + quoted
    assert not recording.quality.counts


@pytest.mark.parametrize(
    "text",
    [
        "", "\n\n", "hello\n", "version = 7\n", 'name = "x"\nversion = "0.1"\ncpus=3\n',
        "[    0.000000] Booting Linux on physical CPU 0x0\n", "{}\n", "a-1 [000] b: c\n",
        "CPU       : 4\nMem: 3\n", "\0\1\2",
    ],
)  # fmt: skip
def test_sniff_refuses_what_is_no_trace(text: str) -> None:
    assert not sniff(text.encode())
