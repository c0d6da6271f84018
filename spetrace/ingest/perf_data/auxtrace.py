"""PERF_RECORD_AUXTRACE, the chunks of AUX data in the file, and AUXTRACE_INFO, what wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.abi import AUXTRACE_TYPE_ARM_SPE, RecordType
from spetrace.ingest.perf_data.aux_records import FURTHEST
from spetrace.ingest.perf_data.framing import Block
from spetrace.ingest.perf_data.sample_id import Values
from spetrace.quality import Quality

_RECORD_BYTES = 48
_VERSION_1_WORDS = 2
_HEADER_WORDS = 4
_NO_PMU = 2**64 - 1


class Chunks(NamedTuple):
    """AUXTRACE records in file order, one array element each.

    `start` is where the payload begins in the file, `announced` its size by the record and
    `size_bytes` what the file holds of it; `cpu` and `tid` are -1 where the record names none.
    """

    idx: Values
    cpu: Values
    tid: Values
    aux_offset: Values
    start: Values
    announced: Values
    size_bytes: Values


_NONE = Chunks(*[np.empty(0, np.int64)] * 7)


def parse_chunks(block: Block, quality: Quality) -> Chunks:
    """All AUXTRACE records of a block; those too short or at impossible offsets are counted."""
    rows = block.rows(RecordType.AUXTRACE)
    whole = rows[block.sizes[rows] >= _RECORD_BYTES]
    whole = whole[block.u64(whole, 16) < FURTHEST]
    quality.add("perf_damaged_records", len(rows) - len(whole), "AUXTRACE records")
    start = block.offsets[whole] + block.sizes[whole]
    announced = np.minimum(block.u64(whole, 8), FURTHEST).astype(np.int64)
    return Chunks(
        block.u32(whole, 32).astype(np.int64),
        block.u32(whole, 40).view(np.int32).astype(np.int64),
        block.u32(whole, 36).view(np.int32).astype(np.int64),
        block.u64(whole, 16).astype(np.int64),
        start,
        announced,
        np.minimum(announced, block.end - start),
    )


def join_chunks(parts: list[Chunks]) -> Chunks:
    """The chunks of all parts, one after another."""
    return Chunks._make(np.concatenate(columns) for columns in zip(_NONE, *parts, strict=True))


@dataclass(frozen=True)
class AuxtraceInfo:
    """AUXTRACE_INFO of Arm SPE: the PMU types of its events, and MIDR_EL1 by CPU (version 2)."""

    pmu_types: frozenset[int]
    midrs: dict[int | None, int]


def parse_auxtrace_info(body: memoryview, order: str) -> AuxtraceInfo | None:
    """Parse the record's body; None for another trace format than Arm SPE.

    Version 1 is told by its length (tools/perf/util/arm-spe.c, Linux 6.13,
    `arm_spe__alloc_metadata`). Raises InputError where it is cut or contradicts itself.
    """
    cursor = Cursor(body, "AUXTRACE_INFO", order=order)
    type_, _ = cursor.unpack("II")
    if type_ != AUXTRACE_TYPE_ARM_SPE:
        return None
    words = cursor.unpack(f"{cursor.left // 8}Q")
    if len(words) < _VERSION_1_WORDS:
        raise cursor.error(f"{len(words)} words are less than version 1's 2")
    if len(words) == _VERSION_1_WORDS:
        return AuxtraceInfo(frozenset(words[:1]), {})
    if len(words) < _HEADER_WORDS:
        raise cursor.error(f"{len(words)} words are less than version 2's header")
    blocks = list(_cpu_blocks(words, cursor))
    types = {b[4] for b in blocks if len(b) > 4 and b[4] != _NO_PMU}
    return AuxtraceInfo(
        frozenset(types | {words[2]}), {_signed(b[1]): b[3] for b in blocks if len(b) > 3}
    )


def _cpu_blocks(words: tuple[int, ...], cursor: Cursor) -> Iterator[tuple[int, ...]]:
    """Per CPU: magic, CPU, number of parameters, then those: MIDR_EL1, PMU type, ..."""
    header, count = words[1], words[3]
    rest = words[header:]
    if header < _HEADER_WORDS or not count or len(rest) < 3 * count:
        raise cursor.error(f"no room for {count} CPUs after a header of {header} words")
    block = len(rest) // count
    for at in range(0, block * count, block):
        yield rest[at : at + min(block, 3 + rest[at + 2])]


def _signed(cpu: int) -> int:
    return cpu - (1 << 64) if cpu >> 63 else cpu
