"""Segments: where AUX data go on from chunk to chunk, and where a record can't."""

from __future__ import annotations

import pytest
from builders import spe_load_record
from builders_perf_data import spe_perf_data
from ingest.perf_data.reading import read_spe, segment_bytes, spe_rows

OVERWRITE, PARTIAL = 2, 4
SPE = bytes(range(1, 129))
RECORD = spe_load_record(1000, 0x4000, 0x8000)


@pytest.mark.parametrize("order", ["<", ">"])
def test_record_goes_on_in_the_next_chunk(order: str) -> None:
    for cut in range(1, 128):
        file = spe_perf_data(order)
        data = RECORD + RECORD
        file.records += [file.aux(0, 128), file.auxtrace(0, data[:cut])]
        file.records += [file.auxtrace(cut, data[cut:])]
        recording, spe = read_spe(file.build())
        assert segment_bytes(spe) == [(0, data)]
        assert spe_rows(spe)["aux_offset"].to_list() == [0, 64]
        assert not recording.quality.counts


def test_pieces_are_views_of_the_file() -> None:
    file = spe_perf_data()
    file.records += [file.auxtrace(0, SPE[:64]), file.auxtrace(64, SPE[64:])]
    _, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE)]
    assert spe.data.size == len(file.build())


def test_gap_divides_and_is_counted_where_announced() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(0, 32),
        file.auxtrace(0, SPE[:32]),
        file.aux(32, 32),
        file.aux(64, 16),
        file.aux(88, 8),
        file.auxtrace(48, SPE[48:96]),
        file.auxtrace(112, SPE[112:]),
    ]
    recording, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE[:32]), (48, SPE[48:96]), (112, SPE[112:])]
    assert recording.quality.counts == {"aux_gap_bytes": 16}


def test_offsets_that_go_back_divide() -> None:
    file = spe_perf_data()
    file.records += [file.auxtrace(64, SPE[64:96]), file.auxtrace(0, SPE[:64])]
    file.records += [file.aux(0, 96)]
    recording, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(64, SPE[64:96]), (0, SPE[:64])]
    assert not recording.quality.counts


def test_partial_record_divides_inside_a_chunk_and_at_its_end() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(0, 20, PARTIAL),
        file.aux(24, 40, PARTIAL),
        file.auxtrace(0, SPE[:64]),
        file.aux(64, 64),
        file.auxtrace(64, SPE[64:]),
    ]
    recording, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE[:20]), (20, SPE[20:64]), (64, SPE[64:])]
    assert recording.quality.counts == {"aux_partial": 2}


def test_cut_record_does_not_merge_into_the_next() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(0, 103, PARTIAL),
        file.auxtrace(0, RECORD + RECORD[:39]),
        file.aux(103, 64),
        file.auxtrace(103, RECORD),
    ]
    recording, spe = read_spe(file.build())
    assert spe_rows(spe)["aux_offset"].to_list() == [0, 103]
    assert recording.quality.counts == {"aux_partial": 1, "spe_cut_records": 1}
    list(spe.batches())
    assert recording.quality.counts == {"aux_partial": 1, "spe_cut_records": 1}


def test_padding_is_trimmed_where_the_next_chunk_begins() -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, 61), file.auxtrace(0, SPE[:61]), file.auxtrace(61, SPE[61:69])]
    _, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE[:69])]


@pytest.mark.parametrize(
    ("announced", "payload", "held"),
    [
        (61, SPE[:61], 61),
        (56, SPE[:56] + bytes(8), 64),
        (57, SPE[:57] + bytes(7), 57),
        (64, SPE[:61], 64),
        (61, SPE[:64], 64),
    ],
    ids=["padded", "8-zeros", "7-zeros", "zeros-announced", "no-zeros"],
)
def test_padding_at_the_end_is_trimmed_where_not_announced(
    announced: int, payload: bytes, held: int
) -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, announced), file.auxtrace(0, payload)]
    recording, spe = read_spe(file.build())
    assert [(at, len(data)) for at, data in segment_bytes(spe)] == [(0, held)]
    assert not recording.quality.counts


def test_padding_before_a_gap_is_no_announced_data() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(0, 61),
        file.auxtrace(0, SPE[:61]),
        file.aux(61, 39),
        file.aux(100, 8),
        file.auxtrace(100, SPE[:8]),
    ]
    recording, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE[:61] + bytes(3)), (100, SPE[:8])]
    assert recording.quality.counts == {"aux_gap_bytes": 36}


def test_snapshots_stand_alone() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(64, 64, OVERWRITE),
        file.auxtrace(0, RECORD),
        file.auxtrace(64, RECORD),
        file.aux(32, 96, OVERWRITE | PARTIAL),
        file.auxtrace(32, RECORD),
    ]
    recording, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, RECORD), (64, RECORD), (32, RECORD)]
    assert recording.quality.counts == {"aux_partial": 1}


def test_empty_chunks_hold_nothing() -> None:
    file = spe_perf_data()
    file.records += [file.auxtrace(0, b""), file.auxtrace(0, SPE[:8]), file.auxtrace(8, b"")]
    _, spe = read_spe(file.build())
    assert segment_bytes(spe) == [(0, SPE[:8])]


def test_losses_are_counted_the_first_time_through() -> None:
    file = spe_perf_data(cpus=2)
    for cpu in range(2):
        file.records += [file.aux(0, 73, cpu=cpu), file.auxtrace(0, RECORD + RECORD[:9], cpu=cpu)]
    recording, spe = read_spe(file.build())
    assert not recording.quality.counts
    first = next(spe.batches())
    assert first[0] == 0
    for _ in range(2):
        assert [stream for stream, _ in spe.batches()] == [0, 1]
    assert recording.quality.counts == {"spe_cut_records": 2}


def test_batches_restrict_columns_and_tell_the_source() -> None:
    file = spe_perf_data()
    file.records += [file.aux(0, 64), file.auxtrace(0, RECORD)]
    _, spe = read_spe(file.build())
    ((stream, batch),) = spe.batches({"source", "pc", "cpu"}, source=3)
    assert stream == 0
    assert batch.to_pylist() == [{"source": 3, "cpu": 0, "pc": 0x4000}]
