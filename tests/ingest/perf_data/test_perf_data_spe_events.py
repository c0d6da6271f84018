"""Which events are SPE's, what each excludes, and which clock their AUX records are on."""

from __future__ import annotations

import pytest
from builders import spe_load_record
from builders_perf_data import SAMPLE_ID_ALL, SPE_TYPE, PerfData, spe_perf_data
from ingest.perf_data.reading import read_spe, spe_rows

from spetrace.ingest.perf_data.abi import Feature

OTHER_SPE_TYPE = 10
EXCLUDE_USER, EXCLUDE_KERNEL, USE_CLOCKID = 1 << 4, 1 << 5, 1 << 25
MONOTONIC = 1
RECORD = spe_load_record(1000, 0x4000, 0x8000)
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def two_pmus(order: str) -> PerfData:
    """A machine with two kinds of CPU: an SPE event on CPU 0 and another PMU's on CPU 1."""
    file = spe_perf_data(order)
    file.attrs = [
        (file.attr(SPE_TYPE, flags=SAMPLE_ID_ALL | EXCLUDE_USER), [100]),
        (file.attr(OTHER_SPE_TYPE, flags=SAMPLE_ID_ALL | EXCLUDE_KERNEL), [101]),
    ]
    file.features[Feature.PMU_MAPPINGS] = (
        file.pack("II", 2, SPE_TYPE)
        + file.string("arm_spe_0")
        + file.pack("I", OTHER_SPE_TYPE)
        + file.string("arm_spe_1")
    )
    for cpu in (0, 1):
        file.records += [file.aux(0, 64, cpu=cpu), file.auxtrace(0, RECORD, cpu=cpu)]
    return file


@ORDERS
def test_two_spe_pmus_are_two_streams_with_their_own_exclusions(order: str) -> None:
    recording, spe = read_spe(two_pmus(order).build())
    assert recording.quality.counts == {}
    assert spe.stream_cpus == [0, 1]
    assert spe.aux_records["stream"].to_list() == [0, 1]
    assert spe_rows(spe)["cpu"].to_list() == [0, 1]
    assert [spe.excludes(stream) for stream in (0, 1)] == [(True, False), (False, True)]
    assert (spe.exclude_user, spe.exclude_kernel) == (False, False)


def test_stream_without_aux_records_excludes_what_all_events_do() -> None:
    file = two_pmus("<")
    file.records = [r for r in file.records if r[0] != 11]
    _, spe = read_spe(file.build())
    assert [spe.excludes(stream) for stream in (0, 1)] == [(False, False), (False, False)]


def test_stream_of_several_events_excludes_what_all_of_them_do() -> None:
    file = spe_perf_data()
    both = SAMPLE_ID_ALL | EXCLUDE_USER
    file.attrs = [(file.attr(flags=both | EXCLUDE_KERNEL), [100]), (file.attr(flags=both), [101])]
    for id_ in (100, 101):
        file.records.append(file.aux(0, 64, trailer=file.sample_id(0, id_)))
    _, spe = read_spe(file.build())
    assert spe.excludes(0) == (True, False)


@ORDERS
def test_other_clock_is_named_and_counted(order: str) -> None:
    file = spe_perf_data(order)
    flags = SAMPLE_ID_ALL | USE_CLOCKID
    file.attrs = [(file.attr(flags=flags, clockid=MONOTONIC), [100])]
    file.records += [file.time_conv(), file.aux(0, 64), file.auxtrace(0, RECORD)]
    recording, _ = read_spe(file.build())
    assert recording.properties["clockid"] == "monotonic"
    assert recording.quality.counts == {"clock_mismatch": 1}
    assert recording.quality.details == {"clock_mismatch": "AUX records are on monotonic"}


def test_other_clock_contradicts_nothing_without_a_conversion() -> None:
    file = spe_perf_data()
    file.attrs = [(file.attr(flags=SAMPLE_ID_ALL | USE_CLOCKID, clockid=MONOTONIC), [100])]
    file.records += [file.aux(0, 64), file.auxtrace(0, RECORD)]
    assert read_spe(file.build())[0].quality.counts == {}
