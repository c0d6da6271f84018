"""PERF_RECORD_HEADER_BUILD_ID: the build ids of files, as records or in the BUILD_ID feature."""

from __future__ import annotations

import numpy as np
import polars as pl

from spetrace.ingest.perf_data.abi import Misc, RecordType
from spetrace.ingest.perf_data.framing import Block, RecordWalk, Rows
from spetrace.ingest.perf_data.kernel import END
from spetrace.ingest.perf_data.record_strings import BUILD_ID_BYTES, build_ids, strings
from spetrace.quality import Quality

_ID_AT, _SIZE_AT, _PATH_AT = 12, 32, 36
_SCHEMA = {"path": pl.String, "build_id": pl.String}


def parse_build_ids(block: Block, quality: Quality) -> pl.DataFrame:
    """The build ids (path, build_id in hex digits) that a block's records give."""
    return _parse(block, block.rows(RecordType.HEADER_BUILD_ID), quality)


def parse_build_id_section(section: memoryview, order: str, quality: Quality) -> pl.DataFrame:
    """The build ids of a BUILD_ID feature: the same records, of any type."""
    data = np.frombuffer(section, np.uint8)
    walk = RecordWalk(data, 0, len(data), order, payloads=False)
    parts = [_parse(block, np.arange(len(block.types)), quality) for block in walk]
    quality.add("perf_damaged_records", int(walk.stop.how != END), "feature BUILD_ID")
    return join_build_ids(parts)


def join_build_ids(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The build ids of all parts, one after another."""
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])


def _parse(block: Block, rows: Rows, quality: Quality) -> pl.DataFrame:
    whole = rows[block.sizes[rows] > _PATH_AT]
    quality.add("perf_damaged_records", len(rows) - len(whole), "short HEADER_BUILD_ID records")
    if not len(whole):
        return pl.DataFrame(schema=_SCHEMA)
    told = (block.misc(whole) & np.uint16(Misc.BUILD_ID_SIZE)) != 0
    sizes = np.where(told, block.data[block.offsets[whole] + _SIZE_AT], BUILD_ID_BYTES)
    ids = build_ids(block, whole, _ID_AT, pl.Series(sizes))
    return pl.DataFrame({"path": strings(block, whole, _PATH_AT), "build_id": ids})
