"""A profile of samples: two passes over the records, then names for what was counted.

The first pass counts by instruction, page, latency, events and stream. The second one counts what
needs to know the result of the first: rates over the time that there is, addresses over time, and
the details of the most frequent pages. Neither holds records, only counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from spetrace.profile.address_spaces import AddressSpaces
from spetrace.profile.detail import detail
from spetrace.profile.event_counts import event_table
from spetrace.profile.kallsyms import Kallsyms
from spetrace.profile.latencies import latency_table, named_counts
from spetrace.profile.locate import locate
from spetrace.profile.pages import most_frequent, page_table
from spetrace.profile.rankings import Ranking, rank_functions, rank_pcs
from spetrace.profile.samples import Samples
from spetrace.profile.streams import cpu_table, rate_table
from spetrace.profile.survey import Survey, survey
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.profile.symbolize import symbolize
from spetrace.tables.profile import Profile
from spetrace.tables.profiles import (
    PROFILE_CPUS,
    PROFILE_EVENTS,
    PROFILE_FUNCTIONS,
    PROFILE_LATENCIES,
    PROFILE_PAGES,
    PROFILE_PCS,
    PROFILE_RATES,
)
from spetrace.tables.session import Assumption

DEFAULT_TOP: Final = 20


@dataclass(frozen=True)
class Naming:
    """Where the names of functions come from."""

    files: SymbolFiles
    kallsyms: Kallsyms | None = None


def build_profile(
    samples: Samples,
    naming: Naming,
    gaps: pl.DataFrame,
    *,
    top: int = DEFAULT_TOP,
    physical: bool = False,
) -> Profile:
    """The profile of `samples`, without its inputs, losses and choices.

    `gaps` is table recording_gaps. `top` rows of each ranking are kept; pages are `physical` ones
    where asked for.
    """
    gaps = samples.of_choice(gaps)
    spaces = AddressSpaces(samples.mappings, samples.threads, samples.sources)
    counted = survey(samples, spaces, physical=physical)
    span = _span(counted)
    pages, owner = (counted.physical_pages, "source") if physical else (counted.pages, "space")
    top_pages = most_frequent(pages, owner, top)
    detailed = detail(samples, spaces, counted, span, top_pages, physical=physical)
    pcs, functions, notes = _rank(counted, spaces, samples, naming, top)
    latencies = {
        name: named_counts(rows, counted.midrs) for name, rows in counted.latencies.items()
    }
    page_rows = page_table(top_pages, detailed, counted, spaces, physical=physical)
    return Profile(
        samples=counted.samples,
        span_ns=span,
        operations=_operations(latencies["total"]),
        distinct_pcs=pcs.distinct,
        distinct_functions=functions.distinct,
        distinct_pages=len(pages),
        gaps=gaps.to_arrow(),
        assumptions=notes,
        functions=PROFILE_FUNCTIONS.from_polars(functions.rows),
        pcs=PROFILE_PCS.from_polars(pcs.rows),
        pages=PROFILE_PAGES.from_polars(page_rows),
        latencies=PROFILE_LATENCIES.from_polars(latency_table(latencies)),
        events=PROFILE_EVENTS.from_polars(event_table(counted.events, counted.midrs)),
        cpus=PROFILE_CPUS.from_polars(cpu_table(counted.streams, gaps)),
        rates=PROFILE_RATES.from_polars(rate_table(detailed)),
        latency_counts=_latency_counts(latencies["total"]),
        heat_map=detailed.heat_map,
    )


def _span(counted: Survey) -> tuple[int, int] | None:
    streams = counted.streams.drop_nulls("first_ns")
    if not len(streams):
        return None
    first, last = streams.select(pl.col("first_ns").min(), pl.col("last_ns").max()).row(0)
    return first, last


def _rank(
    counted: Survey, spaces: AddressSpaces, samples: Samples, naming: Naming, top: int
) -> tuple[Ranking, Ranking, list[Assumption]]:
    located = locate(counted.places, spaces)
    places, notes = symbolize(located, samples.mappings, naming.files, naming.kallsyms)
    if located.shared_samples:
        text = "of processes that are not known or have no mappings: their files are those that all processes have at the address"
        notes.insert(0, Assumption("processes", f"{located.shared_samples:,} samples", text))
    return rank_pcs(places, top), rank_functions(places, top), notes


def _operations(totals: pl.DataFrame) -> dict[str | None, int]:
    counts = totals.group_by("operation").agg(pl.col("samples").sum())
    return dict(counts.sort("samples", "operation", descending=[True, False]).iter_rows())


def _latency_counts(totals: pl.DataFrame) -> pl.DataFrame:
    keys = ["operation", "data_source", "cycles"]
    return totals.drop_nulls("cycles").group_by(keys).agg(pl.col("samples").sum()).sort(keys)
