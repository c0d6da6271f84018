"""Whatever a recording holds, assembling gives a valid session or one of our errors."""

from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import FakeSpe, event, host, spe, whole_session

from spetrace.errors import TraceError
from spetrace.session.host_trace import USED
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.tables.recording import TimeConversion

FIELDS = (
    "vcpu_pc", "hsr", "hxfar", "ipa", "ret", "esr_ec", "start", "end", "hva", "slot", "flags",
    "gpa", "size", "pgt", "prot",
)  # fmt: skip
odd = st.sampled_from([0, 1, 2, 4096, 0x8000_0000, 0x82000007, 0x92000046, 2**63, 2**64 - 1])
numbers = st.one_of(st.none(), odd, st.integers(0, 2**64 - 1))
times = st.one_of(st.integers(0, 1000), st.integers(-(2**62), 2**62))
events = st.builds(
    lambda name, time, pid, tgid, comm, values: event(
        name, time, pid, tgid=tgid, comm=comm, **dict(zip(FIELDS, values, strict=True))
    ),
    st.sampled_from(USED),
    times,
    st.one_of(st.integers(-1, 3), st.integers(-(2**31), 2**31 - 1)),
    st.one_of(st.none(), st.integers(0, 3)),
    st.sampled_from([None, "", "<...>", "kvm-vcpu-0", "CPU 1/KVM", "x99999999999"]),
    st.lists(numbers, min_size=len(FIELDS), max_size=len(FIELDS)),
)
offsets = st.one_of(st.integers(0, 9000), st.integers(0, 2**64 - 1))
maybe_times = st.one_of(st.none(), times)
streams = st.builds(
    FakeSpe,
    st.lists(st.tuples(st.integers(0, 1), maybe_times, offsets, offsets), max_size=5),
    st.lists(
        st.tuples(
            st.integers(0, 1), offsets, st.integers(1, 2**32 - 1), maybe_times,
            st.sampled_from([None, 0, 1, 2, 3]),
        ),
        max_size=8,
    ),
    st.just([0, 3]),
    st.one_of(
        st.none(),
        st.builds(
            TimeConversion, st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1),
            st.integers(0, 2**64 - 1),
        ),
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0, 8192, 2**63, 2**70]),
)  # fmt: skip
options = st.builds(
    SessionOptions,
    assume_spe=st.one_of(st.none(), st.just(AssumedSpe(1 << 45))),
    stage2_from=st.sampled_from([None, "probes", "tracepoints"]),
    infer_read_only=st.sampled_from([None, True]),
    placement=st.sampled_from([None, "scattered"]),
    parameters=st.sampled_from([None, {"page_size": 65536}]),
)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(events, max_size=25),
    st.one_of(st.none(), streams),
    st.sampled_from([("local", True), ("counter", False), ("uptime", False)]),
    options,
)
def test_any_recording_gives_a_session_or_our_error(rows, data, clock, chosen) -> None:
    recordings = [host(rows, clock=clock[0], clock_is_ns=clock[1])]
    if data:
        recordings.append(spe(data))
    try:
        session = whole_session(recordings, chosen)
    except TraceError:
        return
    for table in (session.events, *session.tables.values(), *session.tracepoints.values()):
        table.validate(full=True)
    ts = session.events["ts"].to_pylist()
    assert ts == sorted(ts)
