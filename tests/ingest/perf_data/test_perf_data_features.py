"""Feature sections, in file and pipe mode: what they tell, and what is cut or damaged of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import spe_load_record
from builders_perf_data import PerfData, spe_perf_data
from ingest.perf_data.reading import read_bytes, read_spe, spe_rows

from spetrace.ingest.perf_data.abi import Feature, RecordType

NUMA_TOPOLOGY, CLN_SIZE = 14, 33
"""Known, and not read; the second is the last that is known."""


def described(order: str) -> PerfData:
    file = spe_perf_data(order)
    file.features |= {
        Feature.OSRELEASE: file.string("6.12.0"),
        Feature.VERSION: file.string("6.12.1"),
        Feature.ARCH: file.string("aarch64"),
        Feature.NRCPUS: file.pack("II", 8, 6),
        Feature.CPUDESC: file.string("Neoverse-N1"),
        Feature.TOTAL_MEM: file.pack("Q", 1 << 20),
        Feature.EVENT_DESC: file.event_descriptions(["arm_spe_0/ts_enable=1/u"]),
        Feature.PMU_MAPPINGS: file.pack("II", 1, 9) + file.string("arm_spe_0"),
        Feature.SAMPLE_TIME: file.pack("QQ", 5, 70),
        NUMA_TOPOLOGY: b"\xff" * 40,
    }
    return file


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_features_become_properties(order: str, pipe: bool) -> None:
    file = described(order)
    recording, spe = read_spe(file.build_pipe() if pipe else file.build())
    assert recording.properties == {
        "mode": "pipe" if pipe else "file",
        "byte_order": "little" if order == "<" else "big",
        "hostname": "box",
        "os_release": "6.12.0",
        "perf_version": "6.12.1",
        "arch": "aarch64",
        "cpu_description": "Neoverse-N1",
        "cpuid": "0x00000000410fd0c0",
        "nr_cpus": {"available": 8, "online": 6},
        "total_memory_kib": 1 << 20,
        "cmdline": ["perf", "record", "-m", ",2M", "-e", "arm_spe//"],
        "sample_time_ns": {"first": 5, "last": 70},
        "events": [
            {"name": "arm_spe_0/ts_enable=1/u", "type": "arm_spe_0", "config": 1, "samples": 0}
        ],
    }
    assert not recording.quality.counts
    assert (spe.midrs, spe.aux_area_bytes) == ({None: 0x410FD0C0}, 2 << 20)


def test_spe_is_known_by_its_pmus_name() -> None:
    file = described("<")
    file.records = [file.record(RecordType.FINISHED_INIT)]
    recording, _ = read_spe(file.build())
    assert recording.properties["events"][0]["type"] == "arm_spe_0"
    del file.features[Feature.PMU_MAPPINGS]
    assert read_bytes(file.build()).spe is None


def test_unknown_sample_times_are_no_property() -> None:
    file = spe_perf_data()
    file.features[Feature.SAMPLE_TIME] = file.pack("QQ", 0, 0)
    assert "sample_time_ns" not in read_bytes(file.build()).properties


def test_damaged_section_is_counted_and_others_are_read() -> None:
    file = described("<")
    file.features[Feature.EVENT_DESC] = file.pack("II", 0xFFFF_FFFF, 0)
    file.features[Feature.CMDLINE] = file.pack("I", 0xFFFF_FFFF)
    recording = read_bytes(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 2}
    assert recording.properties["os_release"] == "6.12.0"


def test_section_outside_the_file_counts_what_it_lacks() -> None:
    data = spe_perf_data().build()
    whole = read_bytes(data)
    cut = read_bytes(data[:-70])
    assert cut.quality.counts == {"file_truncated_bytes": 70}
    assert "cmdline" not in cut.properties
    assert cut.properties["cpuid"] == whole.properties["cpuid"]


def test_cut_feature_table_counts_what_it_lacks() -> None:
    file = spe_perf_data()
    data_end = file.build().index(b"".join(file.records)) + len(b"".join(file.records))
    recording = read_bytes(file.build()[: data_end + 20])
    assert recording.quality.counts == {"file_truncated_bytes": 3 * 16 - 20}
    assert "hostname" not in recording.properties


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_unknown_features_are_counted_and_skipped(order: str, pipe: bool) -> None:
    file = described(order)
    file.features |= dict.fromkeys((CLN_SIZE, CLN_SIZE + 1, 64, 200), b"\xff" * 40)
    file.features[255] = b""
    recording, _ = read_spe(file.build_pipe() if pipe else file.build())
    assert recording.quality.counts == {"perf_unknown_features": 3}
    assert recording.properties["os_release"] == "6.12.0"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_recording_needs_no_feature(order: str) -> None:
    file = spe_perf_data(order)
    file.records += [file.aux(0, 64), file.auxtrace(0, spe_load_record(1000, 0x4000, 0x8000))]
    whole = spe_rows(read_spe(file.build())[1])
    for left_out in (*file.features, None):
        kept = {} if left_out is None else {b: s for b, s in file.features.items() if b != left_out}
        fewer = replace(file, features=kept)
        for data in (fewer.build(), fewer.build_pipe()):
            recording, spe = read_spe(data)
            assert spe_rows(spe).equals(whole)
            assert not recording.quality.counts
