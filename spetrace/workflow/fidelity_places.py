"""Where records were sampled, for profile fidelity: in functions where their names are known."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.arm.threads import thread_tid
from spetrace.fidelity.measure import Measure, distribution
from spetrace.fidelity.records import COLUMNS
from spetrace.fidelity.tally import Int64s, Tally
from spetrace.profile.address_spaces import KERNEL, UNKNOWN, AddressSpaces
from spetrace.profile.locate import locate
from spetrace.profile.samples import Samples
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.profile.symbolize import symbolize
from spetrace.profile.timed_lookup import END
from spetrace.tables.session import Assumption

PAGES: Final = "4 KiB pages"
FUNCTIONS: Final = "functions"
_PAGE_BYTES: Final = 4096
_KERNEL_HALF: Final = 1 << 63
_INPUT_SHIFT: Final = 34
"""Room for thread ids of 32 bits and the numbers below zero."""


class PcMeasure(NamedTuple):
    """The measure of PCs, and what its names rest on."""

    measure: Measure
    assumptions: list[Assumption]


class PcPlaces(Protocol):
    """What of a record's PC is compared, and how that becomes a measure."""

    columns: tuple[str, ...]
    """Those of table spe_records that are needed, with all others that are counted."""
    pc: pl.Expr
    owner: pl.Expr

    def measure(self, pcs: Tally) -> PcMeasure:
        """The measure of all records, by their `pc` and `owner`."""


def pc_places(samples: Samples, files: SymbolFiles) -> PcPlaces:
    """Functions where any file that is mapped has some here, else pages."""
    mapped = samples.mappings.select("path", "build_id").drop_nulls("path").unique()
    known = (files.find(path, build_id).symbols for path, build_id in mapped.sort("path").rows())
    return FunctionPlaces(samples, files) if any(known) else PagePlaces()


class PagePlaces:
    """PCs by page of their virtual address."""

    columns: tuple[str, ...] = COLUMNS
    pc = pl.col("pc") // _PAGE_BYTES
    owner = pl.lit(0, pl.Int64)

    def measure(self, pcs: Tally) -> PcMeasure:
        """The measure of all records."""
        return PcMeasure(_measure(PAGES, np.arange(len(pcs.values)), pcs), [])


class FunctionPlaces:
    """PCs by function; those of no known function by page.

    A file's place is the one at which its process has it at the recording's end.
    """

    columns: tuple[str, ...] = (*COLUMNS, "tid", "context_el1", "context_el2", "pc_exception_level")
    pc = pl.col("pc")
    owner = pl.when((pl.col("pc") >= _KERNEL_HALF) | (pl.col("pc_exception_level") > 0)).then(
        KERNEL
    ).otherwise(thread_tid()).fill_null(UNKNOWN).cast(pl.Int64) + pl.col("source").cast(
        pl.Int64
    ) * (1 << _INPUT_SHIFT)

    def __init__(self, samples: Samples, files: SymbolFiles) -> None:
        self._samples = samples
        self._files = files

    def measure(self, pcs: Tally) -> PcMeasure:
        """The measure of all records; of pages where most of them are in no known function."""
        named, notes = self._named(pcs)
        records = int(named["samples"].sum())
        inside = int(named.drop_nulls("symbol")["samples"].sum())
        page = pl.col("pc") // _PAGE_BYTES
        if 2 * inside < records or not records:
            return PcMeasure(_measure(PAGES, _numbers(named.select(page)), pcs), [])
        alone = pl.when(pl.col("symbol").is_null()).then(page).alias("page")
        place = pl.when(pl.col("symbol").is_not_null()).then("path").alias("path")
        numbers = _numbers(named.select("symbol", place, alone))
        share = f"{100 * inside / records:.1f} %"
        text = "of the records with a PC are in a function whose name is known; others by page"
        told = [Assumption("fidelity-functions", share, text), *notes]
        return PcMeasure(_measure(FUNCTIONS, numbers, pcs), told)

    def _named(self, pcs: Tally) -> tuple[pl.DataFrame, list[Assumption]]:
        """Each key's symbol and file, in the keys' order."""
        spaces = AddressSpaces(self._samples.mappings, self._samples.threads, self._samples.sources)
        places = pl.DataFrame(
            {
                "epoch": spaces.last_epochs(_spaces_of(pcs.owners, spaces)),
                "pc": pcs.values,
                "key": np.arange(len(pcs.values)),
                "samples": pcs.totals().astype(np.uint64),
            }
        )
        located = locate(places, spaces)
        named, notes = symbolize(located, self._samples.mappings, self._files, None)
        return named.sort("key"), notes


def _spaces_of(owners: Int64s, spaces: AddressSpaces) -> Int64s:
    sources = (owners - UNKNOWN) >> _INPUT_SHIFT
    tids = owners - (sources << _INPUT_SHIFT)
    own = spaces.of_threads(sources, tids, np.full(len(owners), END))
    return np.where(tids == KERNEL, spaces.kernel(sources), own)


def _numbers(frame: pl.DataFrame) -> npt.NDArray[Any]:
    """Per row the number of its distinct values."""
    distinct = frame.unique(maintain_order=True).with_row_index("number")
    joined = frame.join(
        distinct, on=frame.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["number"].to_numpy()


def _measure(basis: str, number_of: npt.NDArray[Any], pcs: Tally) -> Measure:
    """Keys by their number."""
    return distribution("pc", basis, number_of.astype(np.int64), pcs.groups)
