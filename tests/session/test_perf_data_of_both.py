"""SPE data and KVM's tracepoints in one perf.data: one recording, on one clock."""

import polars as pl
from builders import spe_load_record
from builders_perf_tracepoints import entry, sample, traced
from ingest.perf_data.reading import read_bytes, spe_rows

from spetrace.ingest.perf_data.abi import Feature
from spetrace.session.assemble import assemble
from spetrace.session.options import SessionOptions

RECORDS = b"".join(spe_load_record(1000 + n, 0x4000 + 4 * n, 0x8000) for n in range(3))
FIRST_NS = 1000 + 1000 * 40
"""Time of the first record by TIME_CONV."""


def recorded():
    file = traced()
    file.attrs.append((file.attr(), [100]))
    file.features[Feature.EVENT_DESC] = file.event_descriptions(
        ["kvm:kvm_entry", "test:note", "arm_spe_0//"]
    )
    file.records = [
        file.auxtrace_info(),
        file.time_conv(),
        sample(file, entry(file, 0x8000_0000), time=FIRST_NS - 500, cpu=0),
        file.aux(0, len(RECORDS)),
        file.auxtrace(0, RECORDS),
        sample(file, entry(file, 0x8000_0004), time=FIRST_NS + 500, cpu=0),
    ]
    return read_bytes(file.build())


def test_one_recording_gives_records_and_tracepoints() -> None:
    recording = recorded()
    assert recording.quality.counts == {}
    assert recording.spe is not None
    assert spe_rows(recording.spe)["time_ns"].to_list() == [FIRST_NS + 40 * n for n in range(3)]
    frame = recording.tracepoints["kvm_entry"]
    assert frame["time_ns"].to_list() == [FIRST_NS - 500, FIRST_NS + 500]
    assert frame["vcpu_pc"].to_list() == [0x8000_0000, 0x8000_0004]


def test_session_has_both_on_one_clock() -> None:
    session = assemble([recorded()], SessionOptions())
    events = pl.from_arrow(session.events)
    records = events.filter(pl.col("kind") == "spe_record")
    assert records["ts"].to_list() == [FIRST_NS + 40 * n for n in range(3)]
    assert [len(machine["vcpus"]) for machine in session.machines] == [1]
    assert session.machines[0]["vcpus"][0]["pid"] == 41
    assert [quality.counts for _, quality in session.quality] == [{}, {}]
