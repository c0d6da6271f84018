from __future__ import annotations

from pathlib import Path

import pytest
from text_logs import read_capture, read_text

from spetrace.errors import InputError

HEADER = "# tracer: nop\n#\n"
EVENTS = {
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
    ("line", "cause"),
    [
        ("      kvm-vcpu-1    3880 [001]   998.633333:          kvm:kvm_entry: \n", r"-F \+trace$"),
        ("             :77    77 [000]     0.040001:          1         instructions:  ffff800080081000\n",
         "holds no tracepoint: give the perf.data file"),
        ("             :77    77 [000]     0.040001:          1     instructions:u:  ffff800080081000\n",
         "holds no tracepoint: give the perf.data file"),
        ("# captured on    : Sun Nov 22 11:21:20 2026\n kvm-vcpu-1 3880 [001] kvm:kvm_entry: PC: 0x0000000000000010\n",
         "no line is an event with its time"),
    ],
)  # fmt: skip
def test_perf_script_that_cannot_be_read(line: str, cause: str) -> None:
    with pytest.raises(InputError, match=f"^perf script text: .*{cause}"):
        read_text(line)


def test_no_line_is_an_event() -> None:
    with pytest.raises(
        InputError, match="no line is an event as ftrace or trace-cmd report print it"
    ):
        read_text("cpus=2\n ... hello\n")


@pytest.mark.parametrize(
    ("file", "option"),
    [("07-nocontext-info", "nocontext-info"), ("08-raw", "raw"), ("09-hex", "hex"), ("10-bin", "bin")],
)  # fmt: skip
def test_capture_that_cannot_be_read(shared: Path, file: str, option: str) -> None:
    with pytest.raises(InputError, match=f"trace_option {option}, "):
        read_capture(shared / "captures/kvm/06-ftrace-text" / f"{file}.txt.gz")


def test_perf_capture_without_texts(shared: Path) -> None:
    with pytest.raises(InputError, match=r"print it again with perf script -F \+trace$"):
        read_capture(shared / "captures/kvm/07-perf/perf-all-slice.F-notrace.txt")
