"""How many SPE records become Arrow rows in a second, against what copying their bytes takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from builders import spe_branch_record, spe_load_record, spe_operation, spe_slot_record
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.reference import iter_rows
from spetrace.ingest.spe.segment import Piece
from spetrace.tables.recording import TimeConversion

RECORDS = 1 << 18
PATTERN_RECORDS = 1 << 12
IDENTITY = StreamIdentity(0, 0, None)
CONVERSION = TimeConversion(21, 83886080, 0, 0, (1 << 56) - 1, True)
SELECTIONS = {
    "all": None,
    "addresses": ["time_ns", "pc", "va"],
    "replay": ["aux_offset", "size_bytes", "time_ns", "pc_exception_level", "va"],
}


@pytest.fixture(scope="module")
def payload() -> npt.NDArray[np.uint8]:
    """64-byte records, operations mixed at random as in a program, tiled to 16 MiB."""
    draw = random.Random(7)
    makers: list[Callable[[int, int], bytes]] = [
        lambda ticks, pc: spe_load_record(ticks, pc, pc ^ 0xFFFF000),
        lambda ticks, pc: spe_branch_record(ticks, pc, pc + 64),
        lambda ticks, pc: spe_slot_record(ticks, pc, spe_operation(0, 0)),
    ]
    chosen = draw.choices(makers, [6, 2, 2], k=PATTERN_RECORDS)
    pattern = b"".join(make(10 * i, draw.randrange(1 << 48)) for i, make in enumerate(chosen))
    return np.tile(np.frombuffer(pattern, np.uint8), RECORDS // PATTERN_RECORDS)


def decode(data: npt.NDArray[np.uint8], columns: list[str] | None) -> int:
    segments = [(Piece(0, data),)]
    batches = iter_batches(segments, IDENTITY, time_conversion=CONVERSION, columns=columns)
    return sum(len(batch) for batch in batches)


def best_seconds(function: Callable[[], Any]) -> float:
    """The shortest of five runs."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_spe_decode(
    selection: str, payload: npt.NDArray[np.uint8], benchmark: BenchmarkFixture
) -> None:
    assert benchmark(decode, payload, SELECTIONS[selection]) == RECORDS
    seconds = benchmark.stats.stats.min
    benchmark.extra_info["records_per_second"] = round(RECORDS / seconds)
    benchmark.extra_info["times_a_copy"] = round(seconds / best_seconds(payload.copy), 1)


def test_spe_decode_against_plain_python(
    payload: npt.NDArray[np.uint8], benchmark: BenchmarkFixture
) -> None:
    segments = [(Piece(0, payload[: 64 * PATTERN_RECORDS]),)]

    def by_reference() -> int:
        return sum(1 for _ in iter_rows(segments, IDENTITY, time_conversion=CONVERSION))

    assert benchmark(by_reference) == PATTERN_RECORDS
    per_record = benchmark.stats.stats.min / PATTERN_RECORDS
    by_kernel = best_seconds(lambda: decode(payload, None)) / RECORDS
    benchmark.extra_info["records_per_second"] = round(1 / per_record)
    benchmark.extra_info["kernel_is_times_faster"] = round(per_record / by_kernel)
