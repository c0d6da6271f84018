"""Logs that a hostile guest could cause: huge ranges cost neither time nor memory."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from spetrace.errors import NothingToReplayError
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.tables.events import EVENTS

PROGRAMMED = [
    {"ts": 2, "kind": "sysreg_write", "reg": "PMBPTR_EL1", "value": 0},
    {"ts": 2, "kind": "sysreg_write", "reg": "PMBLIMITR_EL1", "value": (1 << 64) - 4096 | 1},
    {"ts": 2, "kind": "sysreg_write", "reg": "PMSCR_EL1", "value": 3},
]


def table(rows: list[dict[str, Any]]) -> pa.Table:
    rows = [{"vm": 0, "vcpu": 0, "row": place} | row for place, row in enumerate(rows)]
    columns = {name: [row.get(name) for row in rows] for name in EVENTS.names}
    return EVENTS.from_columns(columns, len(rows))


def totals(rows: list[dict[str, Any]], **parameters: Any) -> dict[str, dict[str, Any]]:
    run = replay(table(rows), Parameters().updated(parameters))
    return {row["strategy"]: row for row in run.results.to_pylist() if row["vm"] is None}


def test_whole_address_space_is_one_range() -> None:
    records = [{"ts": ts, "kind": "spe_record", "bytes": (1 << 32) - 1} for ts in range(3, 8)]
    rows = [
        {"ts": 0, "kind": "stage1_map", "va": 0, "ipa": 0, "pages": 1 << 52},
        {"ts": 1, "kind": "stage2_map", "ipa": 0, "pages": 1 << 40, "writable": True},
        *PROGRAMMED,
        *records,
        {"ts": 9, "kind": "stage2_unmap", "ipa": 0, "pages": 1 << 40, "cause": "swap"},
        {"ts": 9, "kind": "stage2_unmap", "ipa": 0, "pages": 1 << 40, "cause": "munmap"},
    ]
    found = totals(rows, max_buffer_bytes=1 << 62)
    assert found["bare-metal"]["captured"] == 5
    assert found["map-on-fault"]["captured"] == 5
    assert found["pin-vm"]["unmaps_refused"] == found["pin-vm"]["forced_unpins"] == 1 << 40
    assert found["pin-on-arm"]["oversize_buffers"] == 1


def test_pinning_a_quarter_of_the_address_space_is_counted_exactly() -> None:
    pages = 1 << 40
    rows = [
        {"ts": 0, "kind": "stage1_map", "va": 0, "ipa": 0, "pages": pages},
        PROGRAMMED[0],
        PROGRAMMED[1] | {"value": (pages << 12) | 1},
        PROGRAMMED[2],
        {"ts": 10, "kind": "spe_record", "bytes": 64},
    ]
    arm = totals(rows, max_buffer_bytes=1 << 62)["pin-on-arm"]
    assert (arm["pins"], arm["captured"], arm["pinned_bytes_end"]) == (pages, 1, pages << 12)
    assert int(arm["pinned_byte_ns"]) == (pages << 12) * 8


def test_record_at_the_end_of_the_address_space_is_lost_to_the_limit() -> None:
    rows = [
        {"ts": 0, "kind": "stage1_map", "va": 0, "ipa": 0, "pages": 1 << 52},
        {"ts": 2, "kind": "sysreg_write", "reg": "PMBPTR_EL1", "value": (1 << 64) - 1},
        *PROGRAMMED[1:],
        {"ts": 3, "kind": "spe_record", "bytes": 64},
    ]
    assert totals(rows, initial_stage2="all")["map-on-fault"]["lost_full"] == 1


def test_empty_log_is_nothing_to_replay() -> None:
    with pytest.raises(NothingToReplayError):
        replay(EVENTS.empty(), Parameters())
