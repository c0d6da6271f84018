from __future__ import annotations

from pathlib import Path

import pytest
from text_logs import read_capture, read_text

from spetrace.errors import InputError

HEADER = "# tracer: nop\n#\n"
EVENTS = {
    "latency-format": "# nop latency trace v1.1.5 on 6.12\nkvm-vcpu-2658      1d.... 4888978us!: kvm_entry: PC: 0xffff8000800368bc\n",
    "nocontext-info": "kvm_entry: PC: 0xffff8000800368bc\n",
    "raw": "2658 1 708112516832 type: 70\n",
    "hex": "00000a62 00000001 000000a4decb9390 type: 62\n",
    "bin": "b\n\0\0\1\0\0\0type: 62\n",
}


@pytest.mark.parametrize("option", EVENTS)
def test_trace_option_that_cannot_be_read_is_named(option: str) -> None:
    with pytest.raises(
        InputError, match=rf"^ftrace text: was printed with trace_option {option}, "
    ):
        read_text(HEADER + EVENTS[option])


def test_what_to_print_instead() -> None:
    with pytest.raises(InputError, match=r"after `echo noraw > trace_options`$"):
        read_text(HEADER + EVENTS["raw"])
    with pytest.raises(InputError, match=r"after `echo context-info > trace_options`$"):
        read_text(HEADER + EVENTS["nocontext-info"])


@pytest.mark.parametrize(
    "line",
    [
        "      kvm-vcpu-1    3880 [001]   998.633333:          kvm:kvm_userspace_exit: reason KVM_EXIT_MMIO (6)\n",
        "        basename 20435/20435 [000]  2158.014464049: sched:sched_process_exec: filename=/bin/true\n",
        "             :77    77 [000]     0.040001:          1         instructions:  ffff800080081000\n",
    ],
)
def test_perf_script_is_recognised(line: str) -> None:
    with pytest.raises(
        InputError, match=r"^perf script text: is not read yet: give the perf\.data"
    ):
        read_text(line)


def test_no_line_is_an_event() -> None:
    with pytest.raises(
        InputError, match="no line is an event as ftrace or trace-cmd report print it"
    ):
        read_text("cpus=2\n ... hello\n")


@pytest.mark.parametrize(
    ("file", "option"),
    [
        ("05-latency-format", "latency-format"), ("06-latency-verbose", "latency-format"),
        ("07-nocontext-info", "nocontext-info"), ("08-raw", "raw"), ("09-hex", "hex"), ("10-bin", "bin"),
    ],
)  # fmt: skip
def test_capture_that_cannot_be_read(shared: Path, file: str, option: str) -> None:
    with pytest.raises(InputError, match=f"trace_option {option}, "):
        read_capture(shared / "captures/kvm/06-ftrace-text" / f"{file}.txt.gz")
