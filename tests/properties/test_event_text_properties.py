from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from reader_promises import assert_as_declared, assert_clear, event_rows

from spetrace.errors import InputError
from spetrace.ingest.event_text import chunks
from spetrace.ingest.event_text.importer import read, sniff
from spetrace.tables.recording import Recording

FTRACE = b"""# tracer: nop
#
# entries-in-buffer/entries-written: 8/12   #P:2
#
CPU:1 [LOST 3 EVENTS]
      CPU 0/KVM-2658    (   2651) [001] d....   714.986984: kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff80008063ddac
      CPU 0/KVM-2658    (   2651) [001] .....   714.987012: kvm_guest_fault: ipa 0x8000000, hsr 0x92000046, hxfar 0xffff800009d00000, pc 0xffff800080081000
            bash-1      (-------) [000] .....   714.987013: tracing_mark_write: phase one
      CPU 0/KVM-2658    (   2651) [001] .....   714.987014: s2_map: (kvm_pgtable_stage2_map+0x0/0x140) pgt=0xffff00000d68f440 ipa=0x80000000 size=0x1000 pa=0x5595d000 prot=0x7
      CPU 0/KVM-2658    (   2651) [001] d....   714.987018: kvm_entry: PC: 0xffff80008063ddac
"""
REPORT = b"""cpus=2
CPU:0 [26387 EVENTS DROPPED]
      kvm-vcpu-0-566   [000]   165.639788123: kvm_entry:            CAN'T FIND FIELD "vcpu_id"<CANT FIND FIELD rip>PC: 0x0000000081d124f4
      kvm-vcpu-0-566   [000]   165.639822123: kvm_sys_access:       [FAILED TO PARSE] vcpu_pc=0x81d12500 is_write=1 name=0xffff8000815586a0 Op0=3 Op1=0 CRn=2 CRm=0 Op2=1
      kvm-vcpu-0-566   [000]   165.639823123: kvm_userspace_exit:   reason KVM_EXIT_MMIO (6)
      kvm-vcpu-0-566   [000]   165.639824123: sched_switch:         prev_comm=a prev_pid=1 prev_state=R ==> next_comm=b next_pid=2
"""
PERF = b"""# ========
# captured on    : Sun Nov 22 11:21:20 2026
      kvm-vcpu-0    3874/3879    [001]   994.249951:          1          kvm:kvm_userspace_exit: reason KVM_EXIT_MMIO (6) ffff80008004df94 kvm_vcpu_ioctl
    [guest/3874]    3880 [000]   993.958667328:           kvm:kvm_get_timer_map: VCPU: 1, dv: 1, dp: 0, ev: -1, ep: -1
            lkvm    8955 [000]  1814.595142576:                 kprobes:memslot: (ffff80008004e848) slot=0 flags=0x0 gpa=0x80000000 size=0x8000000 hva=0xffff9cc00000
         swapper       0 [000]     0.000000: PERF_RECORD_LOST lost 10
\tffff80008004df94 kvm_vcpu_ioctl+0x80c ([kernel.kallsyms])
  994.249951:          kvm:kvm_exit: IRQ: HSR_EC: 0x0000 (UNKNOWN), PC: 0xffff80008063ddac
"""
VERBOSE = b"""# tracer: nop
# latency: 0 us, #15495/295553, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)
kvm-vcpu-2658      1d.... 4888974us : kvm_arm_setup_debug: vcpu: 0000000055e7c92c, flags: 0x00000000
      kvm-vcpu-0    2658   1 1 00000000 00000000 [2a34f085] 4888.974ms (+0.001ms): kvm_entry: PC: 0xffff8000800368bc
"""
TEXTS = st.sampled_from([FTRACE, REPORT, PERF, VERBOSE])
WORDS = st.sampled_from(
    ["-1", " [001] ", "kvm_entry", ": ", "PC: 0x", "=", "(", ")", "\n", "\r\n", "0x", "9" * 25, ".000001",
     "CPU:1 [LOST 999999999999999 EVENTS]\n", "kvm:kvm_exit", "PERF_RECORD_LOST lost ", " 1.000000: ", "VM:1 ", "us : ", "cpus=", "# tracer: nop\n", "\ufeff", "é", "\0", "a=1 b=0x2"]
)  # fmt: skip


def outcome(data: bytes) -> Recording | str:
    try:
        recording = read("x", memoryview(data))
    except InputError as error:
        assert_clear(error)
        return str(error)
    assert_as_declared(recording, len(data))
    for frame in recording.tracepoints.values():
        told = ["index", "time_ns"] + ([] if "perf" in recording.format else ["cpu", "pid"])
        assert not frame.select(told).null_count().sum_horizontal()[0]
    return recording


def assert_lines_are_counted_once(data: bytes) -> None:
    """Each line is an event, or counted as none, or tells of the recording; or all is refused."""
    found = outcome(data)
    if isinstance(found, Recording):
        skipped = ("text_unparsed_lines", "text_side_band_lines")
        lines = sum(found.quality.counts.get(name, 0) for name in skipped)
        assert event_rows(found) + lines <= data.count(b"\n") + 1


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(
        st.binary(max_size=300), st.lists(WORDS, max_size=30).map(lambda w: "".join(w).encode())
    )
)
def test_any_text_is_a_recording_or_our_error(data: bytes) -> None:
    assert isinstance(sniff(data), bool)
    assert_lines_are_counted_once(data)


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.data())
def test_any_damage_gives_a_recording_or_our_error(text: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    insert = data.draw(st.one_of(WORDS.map(str.encode), st.binary(max_size=3)))
    skip = data.draw(st.integers(0, 40))
    assert_lines_are_counted_once(text[:place] + insert + text[place + skip :])


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.data())
def test_truncation_at_a_line_gives_the_first_events(text: bytes, data: st.DataObject) -> None:
    lines = text.splitlines(keepends=True)
    count = data.draw(st.integers(1, len(lines)))
    whole, part = outcome(text), outcome(b"".join(lines[:count]))
    for event, frame in part.tracepoints.items():
        rows = whole.tracepoints[event].head(len(frame))
        assert frame.equals(rows)


MIXED = [f"     kvm-vcpu-0-566   [000]   165.6397881{i:02d}: probe: a={a} b={b} c=1\n".encode() for i, (a, b) in enumerate(
    (("1", "0x1"), ("2", "0"), ("-3", "0x3"), ("x", "zz"), ("0x5", "0x5"), ("007", "ffff80008009f450")))]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(300, 900))
def test_any_split_into_chunks_gives_the_same_tables(data: st.DataObject, size: int) -> None:
    lines = data.draw(st.sampled_from([FTRACE, REPORT, PERF, VERBOSE])).splitlines(keepends=True)
    lines += data.draw(st.lists(st.sampled_from(lines + MIXED), max_size=20))
    text = b"".join(lines)
    whole = outcome(text)
    with patch.object(chunks, "CHUNK_BYTES", size):
        parts = outcome(text)
    if isinstance(whole, str):
        assert parts == whole
        return
    assert parts.quality == whole.quality
    assert parts.properties == whole.properties
    assert list(parts.tracepoints) == list(whole.tracepoints)
    for event, frame in parts.tracepoints.items():
        assert frame.equals(whole.tracepoints[event]), event
