"""The first pass over the records: all that is counted without knowing what the records hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from spetrace.profile.address_spaces import AddressSpaces
from spetrace.profile.packed_latencies import COUNTERS, pack, unpack
from spetrace.profile.samples import (
    BRANCH,
    COLUMNS,
    LOAD,
    PAGE_BITS,
    STORE,
    Samples,
    event_flags,
    model_codes,
    operation_code,
    with_places,
)
from spetrace.profile.tally import Tally
from spetrace.tables.spe_records import SPE_RECORDS

STREAM: Final = ("source", "cpu", "tid")
_FLAGS: Final = ("mispredicted", "not_taken", "l1d_refills", "llc_refills", "tlb_walks")


@dataclass
class Survey:
    """Counts of all records, as frames with one row per key; `samples` is the count."""

    samples: int
    midrs: list[int | None]
    """MIDR by `model`."""
    places: pl.DataFrame
    """By `epoch` and `pc`: the counts of table profile_pcs."""
    latencies: dict[str, pl.DataFrame]
    """Per latency counter: by `model`, `op`, `data_source`, `tlb` (None: no TLB access, False: no
    walk, True: a walk) and `cycles` (None: not recorded, counter total only)."""
    pages: pl.DataFrame
    """By `space` and `page` (of the data virtual address)."""
    physical_pages: pl.DataFrame
    """By `source` and `page` (of the data physical address); empty where not asked for."""
    events: pl.DataFrame
    """By `model`, `op` and `events`, of records with an events packet."""
    streams: pl.DataFrame
    """By `source`, `cpu` and `tid`: also `first_ns`, `last_ns`."""


@dataclass
class _Tallies:
    places: Tally = field(default_factory=lambda: Tally(("epoch", "pc")))
    latencies: dict[str, Tally] = field(
        default_factory=lambda: {name: Tally(("key",)) for name in COUNTERS}
    )
    pages: Tally = field(default_factory=lambda: Tally(("space", "page")))
    physical_pages: Tally = field(default_factory=lambda: Tally(("source", "page")))
    events: Tally = field(default_factory=lambda: Tally(("model", "op", "events")))
    streams: Tally = field(
        default_factory=lambda: Tally(STREAM, least=("first_ns",), most=("last_ns",))
    )


def survey(samples: Samples, spaces: AddressSpaces, *, physical: bool = False) -> Survey:
    """Count all records, `physical` pages too where asked for."""
    midrs, model = model_codes(samples)
    tallies = _Tallies()
    nothing = pl.DataFrame(pl.from_arrow(SPE_RECORDS.select(COLUMNS).empty()))
    _count(_derived(nothing, spaces, model), tallies, physical)
    count = 0
    for frame in samples.frames(COLUMNS):
        if len(frame):
            _count(_derived(frame, spaces, model), tallies, physical)
            count += len(frame)
    return Survey(
        count,
        midrs,
        tallies.places.total(),
        {name: unpack(tally.total()) for name, tally in tallies.latencies.items()},
        tallies.pages.total(),
        tallies.physical_pages.total(),
        tallies.events.total(),
        tallies.streams.total(),
    )


def _derived(frame: pl.DataFrame, spaces: AddressSpaces, model: pl.Expr) -> pl.DataFrame:
    coded = with_places(frame, spaces).with_columns(operation_code(), model)
    return coded.with_columns(event_flags())


def _count(frame: pl.DataFrame, tallies: _Tallies, physical: bool) -> None:
    tallies.places.add(_places(frame))
    for name, tally in tallies.latencies.items():
        tally.add(pack(frame, name))
    tallies.pages.add(_pages(frame, "space", "va"))
    tallies.physical_pages.add(_pages(frame if physical else frame.clear(), "source", "pa"))
    tallies.events.add(
        frame.lazy()
        .filter(pl.col("events").is_not_null())
        .group_by("model", "op", "events")
        .agg(_samples())
        .collect()
    )
    tallies.streams.add(
        frame.group_by(STREAM).agg(
            _samples(),
            pl.col("time_ns").min().alias("first_ns"),
            pl.col("time_ns").max().alias("last_ns"),
        )
    )


def _samples() -> pl.Expr:
    return pl.len().cast(pl.UInt64).alias("samples")


def _places(frame: pl.DataFrame) -> pl.DataFrame:
    latency = pl.col("total_latency_cycles")
    return frame.group_by("epoch", "pc").agg(
        _samples(),
        *(
            (pl.col("op") == code).sum().cast(pl.UInt64).alias(name)
            for name, code in (("loads", LOAD), ("stores", STORE), ("branches", BRANCH))
        ),
        *(pl.col(flag).sum().cast(pl.UInt64) for flag in _FLAGS),
        latency.count().cast(pl.UInt64).alias("latency_samples"),
        latency.cast(pl.UInt64).sum().alias("latency_cycles"),
    )


def _pages(frame: pl.DataFrame, key: str, address: str) -> pl.DataFrame:
    return (
        frame.lazy()
        .filter(pl.col(address).is_not_null())
        .group_by(key, (pl.col(address) // (1 << PAGE_BITS)).alias("page"))
        .agg(_samples())
        .collect()
    )
