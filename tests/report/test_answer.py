from __future__ import annotations

from runs import counters

from spetrace.report.answer import answer

BOUNDS = {"bare-metal": "upper", "inject-abort": "lower"}
UPPER = counters(captured=1000)
LOWER = counters(lost_fault=1, lost_stopped=999, stage2_faults=1, aborts_injected=1)
KEEPS_4K = counters(captured=1000, pinned_bytes_peak=4096, overhead_ns=2000)
KEEPS_1M = counters(captured=1000, pinned_bytes_peak=1 << 20, setup_ns=500)
LOSES_1 = counters(captured=999, lost_fault=1, pinned_bytes_peak=8192)
LOSES_20 = counters(captured=980, lost_blackout=20)


def test_answer_names_the_thriftiest_that_keep_all_and_the_price_of_losing() -> None:
    total = {
        "bare-metal": UPPER,
        "inject-abort": LOWER,
        "pin-vm": KEEPS_1M,
        "pin-on-arm": KEEPS_4K,
        "trap-eret": KEEPS_4K | {"overhead_ns": 3000},
        "pin-on-first-fault": LOSES_1,
        "map-on-fault": LOSES_20,
    }
    assert answer(total, BOUNDS) == (
        "3 of 5 strategies capture all 1,000 sample records; pin-on-arm and trap-eret pin least: "
        "4 KiB at the peak (pin-vm: 1 MiB), with 2.00 us to 3.00 us of overhead.",
        "Of the 2 that miss records, pin-on-first-fault misses 1 record (0.1 %) and pins 8 KiB; "
        "map-on-fault misses 20 records (2.0 %) and pins nothing; inject-abort, the lower bound, "
        "misses 1,000 records (100 %).",
    )


def test_answer_names_the_only_one_that_keeps_all() -> None:
    total = {
        "bare-metal": UPPER,
        "inject-abort": LOWER,
        "pin-vm": KEEPS_1M,
        "map-on-fault": LOSES_20,
    }
    first, second = answer(total, BOUNDS)
    assert first == (
        "Of 2 strategies only pin-vm captures all 1,000 sample records; it pins 1 MiB at the peak, "
        "with 500 ns of overhead and setup."
    )
    assert second.startswith(
        "map-on-fault misses 20 records (2.0 %) and pins nothing; inject-abort"
    )


def test_answer_says_when_none_keeps_all() -> None:
    total = {
        "bare-metal": UPPER,
        "inject-abort": LOWER,
        "map-on-fault": LOSES_20,
        "pin-walk": LOSES_1,
    }
    assert answer(total, BOUNDS)[0] == (
        "None of the 2 strategies captures all 1,000 sample records."
    )


def test_answer_says_when_nothing_is_lost_to_stage_2() -> None:
    total = {"bare-metal": UPPER, "inject-abort": UPPER, "pin-vm": KEEPS_1M, "map-on-fault": UPPER}
    first, second = answer(total, BOUNDS)
    assert first == (
        "All 2 strategies capture all 1,000 sample records; map-on-fault pins nothing "
        "(pin-vm: 1 MiB), with no overhead."
    )
    assert second.startswith("Even inject-abort, the lower bound, captures them")


def test_answer_measures_by_what_bare_metal_captures() -> None:
    full = counters(captured=90, lost_full=10)
    total = {"bare-metal": full, "inject-abort": LOSES_20, "pin-vm": full | {"pins": 3}}
    assert answer(total | {"inject-abort": counters(lost_fault=100)}, BOUNDS) == (
        "pin-vm captures the 90 of 100 sample records (90.0 %) that bare-metal captures; it pins "
        "nothing, with no overhead.",
        "inject-abort, the lower bound, misses 90 records (90.0 %).",
    )


def test_answer_without_records_or_contenders() -> None:
    assert "no sample records" in answer({"bare-metal": counters()}, BOUNDS)[0]
    assert answer({"bare-metal": UPPER}, BOUNDS) == ("Only the bounds were replayed.",)


def test_answer_without_an_upper_bound_measures_by_all_records() -> None:
    assert answer({"pin-walk": LOSES_1}, {}) == (
        "None of the 1 strategies captures all 1,000 sample records.",
        "pin-walk misses 1 record (0.1 %) and pins 8 KiB.",
    )
