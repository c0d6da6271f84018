"""The walk over records: types, payloads, what stops it, and what then is counted."""

from __future__ import annotations

import numpy as np
import pytest
from builders_perf_data import PerfData, spe_perf_data
from ingest.perf_data.reading import read_bytes, read_spe, segment_bytes

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.framing import RecordWalk
from spetrace.ingest.perf_data.kernel import BAD_SIZE, CUT, END

SPE = bytes(range(1, 41))


def walk(data: bytes, order: str = "<", *, payloads: bool = True) -> RecordWalk:
    return RecordWalk(np.frombuffer(data, np.uint8), 0, len(data), order, payloads=payloads)


@pytest.mark.parametrize("order", ["<", ">"])
def test_walk_gives_every_record(order: str) -> None:
    file = PerfData(order)
    data = (
        file.record(RecordType.COMM, b"x" * 16)
        + file.auxtrace(0, SPE)
        + file.record(RecordType.HEADER_TRACING_DATA, file.pack("II", 13, 0))
        + bytes(16)
        + file.record(999, b"odd")
        + file.record(RecordType.LOST, file.pack("QQ", 1, 2))
    )
    records = walk(data, order)
    (block,) = records
    assert records.stop == (len(data), END, 0)
    assert block.types.tolist() == [3, 71, 66, 999, 2]
    assert block.sizes.tolist() == [24, 48, 16, 11, 24]
    assert block.offsets.tolist() == [0, 24, 112, 144, 155]
    assert bytes(block.body(3)) == b"odd"
    assert block.u64(block.rows(RecordType.LOST), 16).tolist() == [2]


def test_walk_over_many_records_goes_block_by_block() -> None:
    data = PerfData().record(RecordType.FINISHED_ROUND) * 70_000
    blocks = list(walk(data))
    assert len(blocks) > 2
    assert np.concatenate([b.offsets for b in blocks]).tolist() == list(range(0, len(data), 8))


def test_walk_without_payloads_takes_none_for_auxtrace() -> None:
    data = PerfData().auxtrace(0, b"")
    (block,) = walk(data + data, payloads=False)
    assert block.offsets.tolist() == [0, 48]


@pytest.mark.parametrize(
    ("tail", "how", "missing"),
    [
        (b"", END, 0),
        (b"\x01", CUT, 7),
        (PerfData().record(3, bytes(24))[:20], CUT, 12),
        (PerfData().pack("IHH", 3, 0, 7), BAD_SIZE, 0),
        (bytes(8), BAD_SIZE, 0),
    ],
)
def test_walk_stops(tail: bytes, how: int, missing: int) -> None:
    head = PerfData().record(RecordType.COMM, bytes(8))
    records = walk(head + tail)
    assert [block.types.tolist() for block in records] == [[3]]
    assert records.stop == (16, how, missing)


def test_unknown_records_are_counted_and_skipped() -> None:
    file = spe_perf_data()
    file.records += [file.record(n, bytes(8)) for n in (0, 22, 63, 87, 1 << 31)]
    file.records += [file.aux(0, 40), file.auxtrace(0, SPE)]
    recording, spe = read_spe(file.build())
    assert recording.quality.counts == {"perf_unknown_records": 5}
    assert segment_bytes(spe) == [(0, SPE)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_lost_events_are_counted_once(order: str) -> None:
    file = spe_perf_data(order)
    lost = [file.record(RecordType.LOST, file.pack("QQ", 100, n)) for n in (3, 4)]
    file.records += [*lost, file.record(RecordType.LOST, bytes(8))]
    assert read_bytes(file.build()).quality.counts == {"perf_lost_events": 7}
    file.add(RecordType.LOST_SAMPLES, file.pack("Q", 9) + file.sample_id())
    assert read_bytes(file.build()).quality.counts == {"perf_lost_events": 9}


def killed(file: PerfData) -> bytes:
    """The file as a recorder leaves it that was killed: size 0, no features."""
    file.data_size = 0
    size = len(b"".join(file.records))
    built = file.build()
    start = int.from_bytes(built[40:48], "little" if file.order == "<" else "big")
    return built[: start + size]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("lacking", [0, 1, 30, 40])
def test_killed_recording_is_read_to_its_end(order: str, lacking: int) -> None:
    file = spe_perf_data(order)
    file.records += [file.aux(0, 40), file.auxtrace(0, SPE)]
    data = killed(file)
    recording, spe = read_spe(data[: len(data) - lacking])
    counts = recording.quality.counts
    assert counts.get("file_truncated_bytes", 0) == lacking
    assert counts.get("aux_gap_bytes", 0) == min(lacking, 40)
    assert segment_bytes(spe) == ([(0, SPE[: 40 - lacking])] if lacking < 40 else [])
    assert "hostname" not in recording.properties


def test_killed_recording_that_ends_in_a_record_lacks_its_rest() -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, 40), file.auxtrace(0, SPE)]
    recording, spe = read_spe(killed(file)[: -len(SPE) - 5])
    assert recording.quality.counts == {"file_truncated_bytes": 5, "aux_gap_bytes": 40}
    assert segment_bytes(spe) == []


def test_cut_file_counts_all_that_its_header_announces() -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, 40), file.auxtrace(0, SPE)]
    data_end = file.build().index(SPE) + len(SPE)
    recording, spe = read_spe(file.build()[: data_end - 10])
    assert recording.quality.counts == {"file_truncated_bytes": 10 + 3 * 16, "aux_gap_bytes": 10}
    assert segment_bytes(spe) == [(0, SPE[:30])]


def test_size_below_8_ends_the_walk_and_is_counted() -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, 40), file.auxtrace(0, SPE), file.pack("IHH", 3, 0, 4)]
    file.records += [file.auxtrace(40, SPE)]
    recording, spe = read_spe(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 1}
    assert segment_bytes(spe) == [(0, SPE)]
    assert recording.properties["hostname"] == "box"


def test_record_past_the_data_section_is_damage_where_the_file_goes_on() -> None:
    file = spe_perf_data()
    file.records.append(file.record(3, bytes(32))[:-8])
    assert read_bytes(file.build()).quality.counts == {"perf_damaged_records": 1}
