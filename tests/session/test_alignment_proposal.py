from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from session_recordings import COMMON, FakeSpe, event, host, spe

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.ingest.importer import read_recording
from spetrace.session.alignment_proposal import propose_alignment
from spetrace.session.clocks import HostClock
from spetrace.session.guest_time import GuestTime, guest_times, joined_intervals
from spetrace.session.host_trace import host_trace
from spetrace.session.machines import find_machines
from spetrace.session.offset_search import find_offset
from spetrace.tables.recording import Recording, TimeConversion

OFFSET = 279_985_642_242_123


def times_inside(own: GuestTime, count: int, seed: int) -> np.ndarray:
    """Random moments of guest time."""
    random = np.random.default_rng(seed)
    row = random.integers(0, len(own.start), count)
    length = (own.end - own.start)[row]
    return own.start[row] + (random.random(count) * length).astype(np.int64)


def busy_host(seconds: float = 1.0, seed: int = 5) -> GuestTime:
    """Guest time with gaps of all sizes."""
    random = np.random.default_rng(seed)
    steps = (random.lognormal(10, 1.5, int(seconds * 1e4))).astype(np.int64) + 1
    edges = np.cumsum(steps[: len(steps) // 2 * 2])
    return GuestTime(edges[0::2], edges[1::2])


def guest_recording(times: dict[int, np.ndarray], **fields) -> Recording:
    """A guest's trace with one event per time, by CPU."""
    cpu = np.concatenate([np.full(len(t), c) for c, t in times.items()])
    frame = pl.DataFrame({"time_ns": np.concatenate(list(times.values())), "cpu": cpu})
    frame = frame.sort("time_ns").with_row_index("index")
    frame = frame.with_columns(pid=pl.lit(1), comm=pl.lit("task"), tgid=pl.lit(None))
    frame = frame.select(pl.col(name).cast(type_) for name, type_ in COMMON.items())
    given = {"clock": "local"} | fields
    return Recording("guest.dat", "trace.dat", 1, tracepoints={"sched_switch": frame}, **given)


def churn(shared) -> tuple[Recording, dict[int, GuestTime]]:
    return recorded(shared / "captures" / "kvm" / "08-churn-lkvm" / "trace.dat")


def recorded(path) -> tuple[Recording, dict[int, GuestTime]]:
    recording = read_recording(path)
    trace = host_trace([recording], {0: HostClock(recording.clock)})
    return recording, guest_times(trace, find_machines(trace), 0)


@pytest.mark.parametrize(
    ("jitter", "outliers"),
    [(0, 0.0), (0, 0.02), (500, 0.0), (2_000, 0.05)],
    ids=["exact", "outliers", "jitter", "both"],
)
def test_offset_is_found_within_its_uncertainty(jitter: int, outliers: float) -> None:
    own = busy_host()
    random = np.random.default_rng(3)
    times = times_inside(own, 5_000, 4) + random.integers(-jitter, jitter + 1, 5_000)
    strays = random.random(5_000) < outliers
    times[strays] = random.integers(int(own.start[0]), int(own.end[-1]), strays.sum())
    found = find_offset([(times - OFFSET, own)])
    assert found.is_clear
    assert abs(found.middle - OFFSET) <= found.uncertainty < 5_000
    assert found.agreeing >= 0.85 * 5_000


def test_exact_events_give_the_intersection_of_what_each_allows() -> None:
    own = GuestTime(np.array([100, 1_000]), np.array([200, 1_500]))
    found = find_offset([(np.array([5, 90, 905, 1_300]), own)])
    assert (found.low, found.high) == (95, 109)
    assert (found.agreeing, found.events) == (4, 4)


def test_damaged_times_do_no_harm() -> None:
    own = busy_host()
    times = np.append(times_inside(own, 3_000, 7) - OFFSET, [-(1 << 63), (1 << 63) - 1, 1 << 59])
    found = find_offset([(times, own)])
    assert abs(found.middle - OFFSET) <= found.uncertainty
    assert (found.agreeing, found.events) == (3_000, 3_003)


def test_vcpus_are_fitted_together() -> None:
    own = [busy_host(0.2, seed) for seed in (1, 2)]
    found = find_offset([(times_inside(o, 200, 9) - OFFSET, o) for o in own])
    assert found.is_clear
    assert abs(found.middle - OFFSET) <= found.uncertainty


def test_events_that_fit_anywhere_are_not_clear() -> None:
    own = GuestTime(np.array([0]), np.array([1_000_000_000]))
    found = find_offset([(np.arange(0, 1_000_000, 1000), own)])
    assert not found.is_clear
    assert (found.low, found.high, found.by_chance) == (0, 999_000_999, 1.0)


def test_next_best_never_fits_more_events_than_what_is_proposed() -> None:
    """Ten combs of equal teeth: whichever is proposed, and refused, no other fits more events."""
    starts = np.concatenate([10**7 * n + np.arange(0, 10**6, 10**4) for n in range(10)])
    own = GuestTime(starts, starts + 5_000)
    for seed in range(5):
        random = np.random.default_rng(seed)
        times = np.sort(starts[:100] + random.integers(0, 5_000, 100))
        found = find_offset([(times, own)])
        assert not found.is_clear
        assert found.next_agreeing <= found.agreeing == 100
        assert found.next_agreeing == own.holds(times + found.next_offset).sum() > 90


def test_few_events_of_a_busy_guest_are_not_clear() -> None:
    edges = np.cumsum(np.tile([98_000, 2_000], 5_000))
    own = GuestTime(np.append(0, edges[1:-1:2]), edges[0::2])
    assert not find_offset([(times_inside(own, 50, 1) - OFFSET, own)]).is_clear


@pytest.mark.parametrize("tracks", [[], [(np.zeros(0, np.int64), busy_host(0.01))]])
def test_nothing_to_fit_finds_nothing(tracks) -> None:
    assert find_offset(tracks) is None


def test_intervals_are_joined_where_they_overlap() -> None:
    joined = joined_intervals(np.array([30, 0, 10, 50]), np.array([40, 5, 35, 50]))
    assert (joined.start.tolist(), joined.end.tolist()) == ([0, 10], [5, 40])
    wide = joined.widened(3)
    assert (wide.start.tolist(), wide.end.tolist()) == ([-3], [43])
    assert joined.holds(np.array([-1, 0, 4, 5, 39, 40])).tolist() == [
        False, True, True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("jitter", [0, 1_000])
def test_capture_on_another_clock_is_aligned(shared, jitter: int) -> None:
    recording, own = churn(shared)
    random = np.random.default_rng(2)
    times = {
        vcpu: times_inside(held, 3_000, vcpu) - OFFSET + random.integers(-jitter, jitter + 1, 3_000)
        for vcpu, held in own.items()
    }
    found = propose_alignment(recording, [guest_recording(times)]).found
    assert found.is_clear
    assert abs(found.middle - OFFSET) <= found.uncertainty < 2_000


@pytest.mark.parametrize("by", ["counter_hz", "time_conv"])
def test_capture_with_a_guest_that_counts_ticks_is_aligned(shared, by: str) -> None:
    recording, own = churn(shared)
    zero = 5_000_000 if by == "time_conv" else 0
    ticks = {v: (times_inside(h, 3_000, v) - OFFSET - zero) // 16 for v, h in own.items()}
    guests = [guest_recording(ticks, clock="counter", clock_is_ns=False)]
    if by == "time_conv":
        guests.append(spe(FakeSpe([], [], time_conversion=TimeConversion(10, 16 << 10, zero))))
    hz = 62_500_000 if by == "counter_hz" else None
    found = propose_alignment(recording, guests, hz).found
    assert abs(found.middle - OFFSET) <= found.uncertainty < 200


def test_times_in_microseconds_are_taken_as_rounded(shared) -> None:
    recording, own = churn(shared)
    times = {v: (times_inside(h, 3_000, v) - OFFSET) // 1000 * 1000 for v, h in own.items()}
    found = propose_alignment(recording, [guest_recording(times)]).found
    assert found.agreeing == found.events
    assert abs(found.middle - OFFSET) <= found.uncertainty < 2_000


def test_small_capture_of_a_busy_guest_is_aligned(shared) -> None:
    folder = shared / "captures" / "kvm" / "16-baremetal-known-nonuma"
    recording, own = recorded(folder / "trace-thp-never.dat")
    times = {0: times_inside(own[0], 5_000, 1) - OFFSET}
    found = propose_alignment(recording, [guest_recording(times)]).found
    assert found.is_clear
    assert abs(found.middle - OFFSET) <= found.uncertainty < 1_000


def test_spe_records_are_events_of_the_guest() -> None:
    events = [e for t in range(0, 100_000, 1000) for e in exits(t)]
    records = [(0, 64 * n, 64, t - 77, 1) for n, t in enumerate(range(150, 100_000, 1000))]
    guest = spe(FakeSpe([(0, 99_000, 0, 64 * len(records))], records))
    proposal = propose_alignment(host(events), [guest])
    assert proposal.found.agreeing == 100
    assert (proposal.vm, proposal.guest_clock) == (0, "perf's time")


def exits(time: int) -> list[dict]:
    return [event("kvm_entry", time + 100), event("kvm_exit", time + 200 + time // 500)]


def test_guest_cpus_without_a_vcpu_are_left_out_and_counted() -> None:
    events = [e for t in range(0, 100_000, 1000) for e in exits(t)]
    inside = np.arange(150, 100_000, 1000)
    proposal = propose_alignment(host(events), [guest_recording({0: inside, 5: inside[:7]})])
    assert proposal.other_cpus == 7
    with pytest.raises(
        NothingToReplayError, match="events are on CPUs 5; VM 0 has guest time on vCPUs 0"
    ):
        propose_alignment(host(events), [guest_recording({5: inside})])


def test_vm_must_be_said_where_there_are_several() -> None:
    events = [
        event("kvm_entry", 1, 10, tgid=5), event("kvm_entry", 2, 20, tgid=6),
        event("kvm_exit", 3, 10, tgid=5), event("kvm_exit", 4, 20, tgid=6),
    ]  # fmt: skip
    guest = guest_recording({0: np.array([2])})
    with pytest.raises(UsageError, match=r"--vm: host\.dat has VMs 0, 1: say which"):
        propose_alignment(host(events), [guest])
    with pytest.raises(UsageError, match="--vm 7"):
        propose_alignment(host(events), [guest], vm=7)
    assert propose_alignment(host(events), [guest], vm=1).vm == 1


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([event("sched_switch", 1)], "holds no kvm_entry or kvm_exit"),
        ([event("kvm_exit", 1), event("kvm_entry", 2)], "no kvm_entry that a kvm_exit follows"),
    ],
)
def test_host_without_guest_time_is_an_error(events, cause: str) -> None:
    with pytest.raises(NothingToReplayError, match=f"host.dat: clock alignment: .*{cause}"):
        propose_alignment(host(events), [guest_recording({0: np.array([2])})])
