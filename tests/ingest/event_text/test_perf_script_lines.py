from __future__ import annotations

import pytest
from text_logs import counts, read_text, rows

PC = "PC: 0xffff800081080000"
VCPU = {"vcpu_pc": 0xFFFF800081080000, "index": 0}
WHOLE = {"comm": "CPU 0/KVM", "pid": 2345, "cpu": 2, "time_ns": 1203123456000}


def without(*names: str) -> dict:
    return {key: value for key, value in WHOLE.items() if key not in names}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"       CPU 0/KVM  2345 [002]  1203.123456:                kvm:kvm_entry: {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 [002]  1203.123456: kvm:kvm_entry: {PC}\r", WHOLE),
        (f"       CPU 0/KVM  2345 [002]  1203.123456:          1 kvm:kvm_entry: {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 [002]  1203.123456:  kvm:kvm_entry:H: {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 [002] K       1203.123456:  kvm:kvm_entry: {PC}", WHOLE),
        (f"CPU 0/KVM  2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", WHOLE),
        (f"CPU 0/KV    2345   2  1203.123456:  kvm:kvm_entry: {PC}", WHOLE | {"comm": "CPU 0/KV"}),
        (f"       CPU 0/KVM  2345 [002]  1203.123456789:  kvm:kvm_entry: {PC}", WHOLE | {"time_ns": 1203123456789}),
        (f"       CPU 0/KVM    2340/2345    [002]  1203.123456:  kvm:kvm_entry: {PC}", WHOLE | {"tgid": 2340}),
        (f"       CPU 0/KVM  2345  1203.123456:  kvm:kvm_entry: {PC}", without("cpu")),
        (f"       CPU 0/KVM [002]  1203.123456:  kvm:kvm_entry: {PC}", without("pid")),
        (f"   2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", without("comm")),
        (f"   2340/2345    [002]  1203.123456:  kvm:kvm_entry: {PC}", without("comm") | {"tgid": 2340}),
        (f"[002]  1203.123456:  kvm:kvm_entry: {PC}", without("comm", "pid")),
        (f" 1203.123456:  kvm:kvm_entry: {PC}", without("comm", "pid", "cpu")),
        (f"    [guest/2340]  2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", without("comm") | {"tgid": 2340}),
        (f"           :2345  2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", without("comm")),
        (f"             a 1  2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", WHOLE | {"comm": "a 1"}),
        (f"       CPU 0/KVM  2345 [002]  1203.123456:  kvm:kvm_entry:                         {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 [002]  1203.123456:  kvm:kvm_entry: {PC} ffff80008004df94 kvm_vcpu_ioctl+0x80c ([kernel.kallsyms])", WHOLE),
        (f"       CPU 0/KVM  2345 [002] 2026-11-22 11:21:20.123456  1203.123456:  kvm:kvm_entry: {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 [002] K     2026-11-22 11:21:20.123456789  1203.123456000:  kvm:kvm_entry: {PC}", WHOLE),
        (f"       CPU 0/KVM  2345 2026-11-22 11:21:20.123456  1203.123456:  kvm:kvm_entry: {PC}", without("cpu")),
        (f"       CPU 0/KVM 2026-11-22 11:21:20.123456  1203.123456:  kvm:kvm_entry: {PC}", without("pid", "cpu")),
        (f"2026-11-22 11:21:20.123456  1203.123456:  kvm:kvm_entry: {PC}", without("comm", "pid", "cpu")),
        (f"VM:13376 VCPU:003        CPU 0/KVM  2345 [002]  1203.123456:  kvm:kvm_entry: {PC}", WHOLE | {"instance": "13376"}),
    ],
)  # fmt: skip
def test_perf_line_forms(line: str, expected: dict) -> None:
    recording = read_text(line + "\n")
    assert rows(recording, "kvm_entry") == [VCPU | expected]
    assert recording.format == "perf script (text)"
    assert recording.clock_is_ns
    missing = {"text_events_without_thread": 1} if "pid" not in expected else {}
    assert recording.quality.counts == missing


LINE = "      kvm-vcpu-0  3879 [001]  {}: {:>25}: {}\n"


def test_perf_probe_with_address_behind_its_text() -> None:
    text = (
        "(ffff80008009f450) pgt=0xffff00000d68fa40 prot=0x7 ffff80008009f450 kvm_pgtable_stage2_map"
    )
    recording = read_text(LINE.format("1.000000", "kprobes:s2_map", text))
    (row,) = rows(recording, "s2_map")
    assert {k: row[k] for k in ("__probe_ip", "pgt", "prot")} == {
        "__probe_ip": 0xFFFF80008009F450, "pgt": 0xFFFF00000D68FA40, "prot": 7,
    }  # fmt: skip


def test_perf_side_band_call_chains_and_headers_are_skipped() -> None:
    text = (
        "# ========\n# captured on    : Sun Nov 22 11:21:20 2026\n#\n"
        "         swapper     0 [000]     0.000000: PERF_RECORD_MMAP -1/0: [0xffff800080000000(0x23ea200)]: x a\n"
        "            perf  4032 [000]   993.951613: PERF_RECORD_COMM exec: perf:4032/4032\n"
        + LINE.format("993.951614", "kvm:kvm_entry", PC)
        + "\tffff80008004df94 kvm_vcpu_ioctl+0x80c ([kernel.kallsyms])\n\t          45c190 __ioctl+0x10 (/usr/bin/lkvm)\n\n"
        "      kvm-vcpu-0  3879 [001]  1009.693287: PERF_RECORD_LOST lost 10\n"
        "      kvm-vcpu-0  3879 [001]  1009.704546: PERF_RECORD_LOST lost 22\n"
    )
    recording = read_text(text)
    assert counts(recording) == {"kvm_entry": 1}
    assert recording.quality.counts == {"text_side_band_lines": 4, "perf_lost_events": 32}


@pytest.mark.parametrize(
    ("times", "since", "expected"),
    [
        ((0, 246, 254, 700), "the first event", [0, 246, 254, 700]),
        ((0, 246, 8, 446), "the event before", [0, 246, 254, 700]),
        ((5, 246, 8, 446), None, [5, 246, 8, 446]),
    ],
)
def test_perf_relative_times(times: tuple, since: str | None, expected: list[int]) -> None:
    text = "".join(LINE.format(f"0.{t:06d}", "kvm:kvm_entry", PC) for t in times)
    recording = read_text(text)
    assert recording.properties.get("times_since") == since
    assert recording.tracepoints["kvm_entry"]["time_ns"].to_list() == [1000 * t for t in expected]
    assert recording.quality.counts == ({"text_times_without_clock": 4} if since else {})


USER_EXIT = LINE.format("1.000000", "kvm:kvm_userspace_exit", "reason KVM_EXIT_MMIO (6)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (USER_EXIT * 2 + LINE.format("1.000001", "kvm:kvm_entry", PC), 3),
        (USER_EXIT + LINE.format("1.000001", "kvm:kvm_entry", PC), 0),
        (USER_EXIT.replace("      kvm-vcpu-0", "    [guest/3874]"), 0),
        (LINE.format("1.000001", "kvm:kvm_unmap_hva_range", "mmu notifier unmap range: 0x00ffff9b800000 -- 0x00ffff9ba00000"), 0),
    ],
)  # fmt: skip
def test_perf_script_without_guest_samples_is_said(text: str, expected: int) -> None:
    assert read_text(text).quality.counts.get("perf_script_without_guest", 0) == expected


def test_perf_event_that_is_no_tracepoint_is_counted() -> None:
    text = LINE.format("1.000001", "kvm:kvm_entry", PC) + LINE.format("1.000002", "cycles:ppp", "1")
    recording = read_text(text)
    assert counts(recording) == {"kvm_entry": 1}
    assert recording.quality.counts == {"text_unparsed_lines": 1}
