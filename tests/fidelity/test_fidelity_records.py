"""Records collected frame by frame: which bin each gets, whatever the frames."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.fidelity.keys import NO_KEY, KeyedRecords
from spetrace.fidelity.records import CollectedRecords

ADDRESSES = st.none() | st.sampled_from([0, 1, 0x1000, 1 << 63, (1 << 64) - 1])
OWNERS = st.sampled_from([-2, -1, 5, (3 << 34) + 7])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(ADDRESSES, OWNERS), max_size=12), max_size=5))
def test_keys_lead_back_to_what_was_added(batches: list[list[tuple[int | None, int]]]) -> None:
    keyed = KeyedRecords()
    for batch in batches:
        keyed.add(
            np.array([address or 0 for address, _ in batch], np.uint64),
            np.array([owner for _, owner in batch], np.int64),
            np.array([address is not None for address, _ in batch], bool),
        )
    keys = keyed.take()
    pairs = list(zip(keys.addresses.tolist(), keys.owners.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    found = [None if code == NO_KEY else pairs[code] for code in keys.codes.tolist()]
    assert found == [
        None if address is None else (address, owner)
        for batch in batches
        for address, owner in batch
    ]


def test_operations_sources_and_latencies_of_reordered_records() -> None:
    frame = pl.DataFrame(
        {
            "pc": [1, 2, 3, 4, None, 6],
            "operation_class": [1, 1, 2, 0, None, 3],
            "operation_payload": [0, 1, 0, 0, None, 0],
            "data_source": [8, None, None, None, 300, 8],
            "total_latency_cycles": [4, 3, 65535, None, 3, 4],
        },
        schema={
            "pc": pl.UInt64, "operation_class": pl.UInt8, "operation_payload": pl.UInt8,
            "data_source": pl.UInt16, "total_latency_cycles": pl.UInt16,
        },
    )  # fmt: skip
    for rows in ([0, 1, 2, 3, 4, 5], [5, 3, 1], [4]):
        collected = CollectedRecords()
        collected.add(frame[:2], pl.col("pc"), pl.lit(0, pl.Int64))
        collected.add(frame[2:], pl.col("pc"), pl.lit(0, pl.Int64))
        assert collected.records == 6
        measures = {m.name: m.at(np.array(rows)) for m in collected.take_measures()}
        picked = frame[rows]
        latency = measures["latency"]
        want = sorted(picked["total_latency_cycles"].drop_nulls().to_list())
        assert latency.values is not None
        assert np.repeat(latency.values, latency.counts()).tolist() == want
        sources = picked["data_source"].drop_nulls()
        counts = measures["data_source"].counts()
        assert sorted(counts[counts > 0]) == sorted(sources.value_counts()["count"])
        known = [r for r in rows if r < 4]
        assert measures["operation"].bins == 4
        assert sorted(measures["operation"].counts()) == [0] * (4 - len(known)) + [1] * len(known)
