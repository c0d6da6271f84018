import numpy as np
import pytest
from session_recordings import event, host, merged, of_kind, rows

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.quality import Quality
from spetrace.session import assumed_spe
from spetrace.session.assemble import assemble
from spetrace.session.assumed_spe import AssumedGuest, GuestClock, assumed_run
from spetrace.session.event_run import concatenated
from spetrace.session.options import AssumedSpe, SessionOptions

BASE = 0xFFFF_8000_1000_0000


def times(intervals, period: int) -> list[int]:
    return clock_times(*np.array(intervals, np.int64).reshape(-1, 2).T, period)


def clock_times(entry, exits, period: int) -> list[int]:
    clock = GuestClock(entry, exits)
    due = np.arange(1, clock.records(period) + 1, dtype=np.int64) * period
    return clock.times(due).tolist()


def test_records_come_at_multiples_of_guest_time() -> None:
    assert times([(100, 125), (200, 230)], 10) == [110, 120, 205, 215, 225]


def test_record_due_at_an_exit_comes_at_the_next_entry() -> None:
    assert times([(100, 110), (200, 205)], 10) == [200]


def test_record_due_at_the_last_exit_never_comes() -> None:
    assert times([(100, 110)], 10) == []


def test_empty_interval_holds_no_record() -> None:
    assert times([(100, 110), (150, 150), (200, 205)], 10) == [200]


def test_records_equal_a_plain_count() -> None:
    rng = np.random.default_rng(7)
    edges = np.cumsum(rng.integers(0, 40, 400))
    entry, exits = edges[::2], edges[1::2]
    moments = [t for a, b in zip(entry, exits, strict=True) for t in range(a, b)]
    for period in (1, 3, 17):
        assert clock_times(entry, exits, period) == moments[period::period]


def entry_and_exit(thread: int, exit_ns: int) -> list[dict[str, object]]:
    names = {"pid": thread, "comm": f"kvm-vcpu-{thread}"}
    return [event("kvm_entry", 0, **names), event("kvm_exit", exit_ns, **names)]


def test_period_too_short_for_all_vcpus_names_one_that_fits() -> None:
    found = host(entry_and_exit(0, 20 * 10**9) + entry_and_exit(1, 113 * 10**9))
    refused = r"period_ns=1000 would make 133,000,000 records; period_ns=4000 or more fits"
    with pytest.raises(UsageError, match=refused):
        assemble([found], SessionOptions(assume_spe=AssumedSpe(1000)))
    session = assemble([found], SessionOptions(assume_spe=AssumedSpe(4_000_000)))
    assert len(of_kind(session.events, "spe_record")) == 4_999 + 28_249


def test_period_too_short_by_ages_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="period_ns=140000000000 or more fits"):
        assemble([host(entry_and_exit(0, 1 << 62))], SessionOptions(assume_spe=AssumedSpe(1)))


def test_log_that_is_not_held_may_have_more_records() -> None:
    found = host(entry_and_exit(0, 20 * 10**9) + entry_and_exit(1, 113 * 10**9))
    load = SessionOptions(assume_spe=AssumedSpe(1000))
    session = assemble([found], load, hold_events=False)
    assert next(session.iter_events()).num_rows > 0
    with pytest.raises(UsageError, match="period_ns=18000000000 or more fits"):
        assemble(
            [host(entry_and_exit(0, 1 << 62))],
            SessionOptions(assume_spe=AssumedSpe(1)),
            hold_events=False,
        )


INTERVALS = [(100, 160), (90, 120), (200, 200), (300, 290), (150, 320), (310, 400), (400, 431)]


@pytest.mark.parametrize("load", [AssumedSpe(10, 2048, 8192), AssumedSpe(7, 1000, 1 << 20)])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_stretches_are_the_whole(load: AssumedSpe, size: int, monkeypatch) -> None:
    clock = GuestClock(*np.array(INTERVALS, np.int64).T)
    guest = AssumedGuest(1, 2, load, 100, clock)
    whole = list(guest.runs())
    monkeypatch.setattr(assumed_spe, "_RECORDS_AT_A_TIME", size)
    stretches = list(guest.runs())
    assert len(whole) == 1 < len(stretches) == -(-clock.records(load.period_ns) // size)
    assert merged([concatenated([run for run, _ in stretches])]) == merged([whole[0].run])
    assert guest.first_ns == 90
    for number, (_, later_ns) in enumerate(stretches):
        later = [run.ts.min() for run, _ in stretches[number + 1 :]]
        assert later_ns <= min(later, default=later_ns)
    assert stretches[-1].later_ns == whole[-1].later_ns == (1 << 63) - 1


def test_buffer_laps_follow_their_last_record() -> None:
    load = AssumedSpe(10, 2048, 8192)
    run = assumed_run(5, np.array([10, 20, 30, 40, 50]), load, vm=1, vcpu=2)
    base = BASE + (2 << 28)
    made = rows(merged([run]), "ts", "kind", "reg", "value", "bytes")
    lap = [
        ("buffer_full", None, None),
        ("sysreg_write", "PMBPTR_EL1", base + 4096),
        ("sysreg_write", "PMBLIMITR_EL1", (base + 8192) | 1),
        ("sysreg_write", "PMBSR_EL1", 0),
    ]
    assert made[:5] == [
        (5, "sysreg_write", "PMBPTR_EL1", base, None),
        (5, "sysreg_write", "PMBLIMITR_EL1", (base + 4096) | 1, None),
        (5, "sysreg_write", "PMSCR_EL1", 3, None),
        (10, "spe_record", None, None, 2048),
        (20, "spe_record", None, None, 2048),
    ]
    assert [row[:4] for row in made[5:9]] == [(20, *event) for event in lap]
    assert [row[3] for row in made[12:15]] == [base, (base + 4096) | 1, 0]
    assert made[-1][:2] == (50, "spe_record")
    assert {(r["vm"], r["vcpu"]) for r in merged([run]).to_pylist()} == {(1, 2)}


def life(**fields):
    return [
        event("sched_switch", 90, pid=1),
        event("kvm_entry", 100, **fields),
        event("kvm_exit", 150, **fields),
        event("kvm_entry", 200, **fields),
        event("kvm_entry", 210, **fields),
        event("kvm_exit", 240, **fields),
    ]


def test_load_runs_between_an_entry_and_the_exit_that_follows_it() -> None:
    session = assemble([host(life())], SessionOptions(assume_spe=AssumedSpe(20)))
    assert rows(of_kind(session.events, "spe_record"), "ts") == [(120,), (140,), (220,)]


def test_buffers_are_mapped_at_the_recordings_first_event() -> None:
    options = SessionOptions(assume_spe=AssumedSpe(20), parameters={"memory_bytes": 1 << 26})
    session = assemble([host(life())], options)
    top = 0x8000_0000 + (1 << 26)
    maps = rows(session.events, "ts", "kind", "va", "ipa", "pages")[:2]
    assert maps == [
        (90, "stage1_map", BASE, top - (1 << 20), 256),
        (90, "stage2_map", None, top - (1 << 20), 256),
    ]


def test_buffer_not_touched_is_not_mapped_at_stage2() -> None:
    options = SessionOptions(assume_spe=AssumedSpe(20), buffer_touched=False)
    session = assemble([host(life())], options)
    assert not len(of_kind(session.events, "stage2_map"))


def test_second_vcpus_buffer_lies_below_the_first() -> None:
    second = [e | {"pid": 11, "comm": "kvm-vcpu-1"} for e in life()]
    session = assemble([host(life() + second)], SessionOptions(assume_spe=AssumedSpe(20)))
    maps = rows(of_kind(session.events, "stage1_map"), "vcpu", "va", "ipa")
    top = 0xC000_0000
    assert maps == [(0, BASE, top - (1 << 20)), (1, BASE + (1 << 28), top - (2 << 20))]


@pytest.mark.parametrize(
    "load",
    [AssumedSpe(0), AssumedSpe(buffer_bytes=4096), AssumedSpe(record_bytes=1 << 20)],
)
def test_impossible_load_is_refused(load: AssumedSpe) -> None:
    with pytest.raises(UsageError, match="assume-spe"):
        assemble([host(life())], SessionOptions(assume_spe=load))


def test_load_needs_kvm_entry() -> None:
    recording = host([event("kvm_exit", 1), event("kvm_exit", 2)])
    with pytest.raises(NothingToReplayError, match="needs kvm_entry"):
        assemble([recording], SessionOptions(assume_spe=AssumedSpe()))


def test_nothing_to_replay_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(NothingToReplayError, match=r"3 kvm_entry, 2 kvm_exit.*on 1 vCPU of 1 VM;"):
        assemble([host(life())], SessionOptions())
    with pytest.raises(NothingToReplayError, match="--assume-spe"):
        assemble([host(life())], SessionOptions())


def test_nothing_to_replay_of_a_perf_script_text_says_where_the_rest_is() -> None:
    quality = Quality()
    quality.add("perf_script_without_guest", 1)
    text = host([event("kvm_mmio", 1)], quality=quality)
    with pytest.raises(NothingToReplayError, match=r"no kvm_entry, .*give the perf\.data"):
        assemble([text], SessionOptions())
    with pytest.raises(NothingToReplayError, match="record SPE"):
        assemble([host([event("kvm_mmio", 1)])], SessionOptions())
