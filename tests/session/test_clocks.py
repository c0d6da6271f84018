import numpy as np
import pytest
from session_recordings import FakeSpe, event, host, of_kind, rows, spe

from spetrace.session.assemble import assemble
from spetrace.session.clocks import HostClock, host_clock
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import TimeConversion

GUEST = FakeSpe([(0, 1_100, 0, 128)], [(0, 0, 64, 1_010, 1), (0, 64, 64, 1_050, 1)])
HOST = [event("sched_switch", 400, 1), event("kvm_entry", 500), event("kvm_exit", 900)]


def record_times(*recordings, **options):
    session = assemble(recordings, SessionOptions(**options))
    return [t for (t,) in rows(of_kind(session.events, "spe_record"), "ts")], session


def test_spe_alone_keeps_its_clock() -> None:
    assert record_times(spe(GUEST))[0] == [1_010, 1_050]


def test_first_record_is_laid_on_the_first_entry() -> None:
    found, session = record_times(spe(GUEST), host(HOST))
    assert found == [500, 540]
    assert session.clocks[0]["offset_ns"] == -510
    assert "aligned at the start" in session.clocks[0]["how"]
    assert ("clock-offset", "-510") in [(a.name, a.value) for a in session.assumptions]


def test_offset_given_wins_and_is_no_assumption() -> None:
    found, session = record_times(spe(GUEST), host(HOST), clock_offset_ns=-600)
    assert found == [410, 450]
    assert "clock-offset" not in [a.name for a in session.assumptions]


def test_offset_of_session_toml(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("[[vm]]\nclock_offset_ns = -700\n")
    assert record_times(spe(GUEST), host(HOST), session_toml=path)[0] == [310, 350]


def test_offset_of_a_vm_holds_over_that_of_all_and_a_flag_over_both(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("clock_offset_ns = -600\n[[vm]]\nclock_offset_ns = -700\n")
    assert record_times(spe(GUEST), host(HOST), session_toml=path)[0] == [310, 350]
    given = {"session_toml": path, "clock_offset_ns": -500}
    assert record_times(spe(GUEST), host(HOST), **given)[0] == [510, 550]


def test_spe_in_the_hosts_own_file_is_on_its_clock() -> None:
    both = host(HOST)
    both.spe = GUEST
    assert record_times(both)[0] == [1_010, 1_050]


def test_spans_that_do_not_meet_are_a_warning_with_both() -> None:
    _, session = record_times(spe(GUEST), host(HOST), clock_offset_ns=10_000)
    quality = dict(session.quality)[None]
    assert quality.counts == {"clock_spans_disjoint": 1}
    assert quality.details["clock_spans_disjoint"] == "guest 11010 to 11100 ns, host 400 to 900 ns"


def test_spans_that_meet_are_no_warning() -> None:
    _, session = record_times(spe(GUEST), host(HOST))
    assert dict(session.quality)[None].counts == {}


def counting(**fields) -> FakeSpe:
    # 16 ns per tick (62.5 MHz); perf time 1010 is tick 50 after zero.
    return FakeSpe(
        GUEST.aux, GUEST.records, time_conversion=TimeConversion(10, 16 << 10, 210), **fields
    )


def test_arch_counter_aligns_a_host_on_a_counter_clock() -> None:
    ticks = [event("kvm_entry", 40), event("kvm_exit", 90)]
    recording = host(ticks, clock="counter", clock_is_ns=False)
    found, session = record_times(spe(counting()), recording)
    assert found == [50 * 16, 50 * 16 + 40]
    assert session.clocks[0]["how"] == "by the arch counter (TIME_CONV)"
    assert ("cntvoff", "0") in [(a.name, a.value) for a in session.assumptions]


def test_cntvoff_shifts_the_guests_counter(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("cntvoff = 10\n")
    ticks = [event("kvm_entry", 40), event("kvm_exit", 90)]
    recording = host(ticks, clock="counter", clock_is_ns=False)
    found, _ = record_times(spe(counting()), recording, session_toml=path)
    assert found[0] == 60 * 16


@pytest.mark.parametrize(
    ("name", "hz", "conversion", "ticks", "ns"),
    [
        ("local", None, None, 7, 7),
        ("counter", 62_500_000, None, 125, 2_000),
        ("counter", None, TimeConversion(10, 16 << 10, 0), 3, 48),
        ("counter", None, None, 9, 9),
        ("uptime", None, None, 3, 30_000_000),
    ],
)
def test_host_clock_in_ns(name: str, hz, conversion, ticks: int, ns: int) -> None:
    recording = host(HOST, clock=name, clock_is_ns=name == "local")
    assert host_clock(recording, hz, conversion).to_ns(np.array([ticks])).tolist() == [ns]


def test_host_clock_is_exact_at_large_counts() -> None:
    ticks = 3**37
    clock = HostClock("counter", 1_000_000_000, 62_500_000)
    assert clock.to_ns(np.array([ticks])).tolist() == [ticks * 16]


def test_unknown_rate_of_a_counter_is_an_assumption() -> None:
    recording = host(HOST, clock="counter", clock_is_ns=False)
    _, session = record_times(spe(GUEST), recording)
    assert "counter_hz" in [a.name for a in session.assumptions]


def test_two_host_files_are_put_in_order_of_time() -> None:
    one = host([event("kvm_entry", 10), event("s2_map", 30, pgt=1, ipa=4096, size=4096)], "a.dat")
    other = host([event("s2_map", 20, pgt=1, ipa=8192, size=4096)], "b.dat")
    session = assemble([one, other, spe(GUEST)], SessionOptions(buffer_touched=False))
    assert rows(of_kind(session.events, "stage2_map"), "ts", "ipa") == [(20, 8192), (30, 4096)]
