"""Where in which file each sampled PC is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.profile.address_spaces import KERNEL, UNKNOWN, AddressSpaces
from spetrace.profile.shared_mappings import find_shared
from spetrace.profile.timed_lookup import Int64s

KERNEL_FILE: Final = "[kernel.kallsyms]"
"""What perf calls the kernel's image."""
_KERNEL_NAMES: Final = r"^\[(kernel|guest\.kernel)\."


@dataclass(frozen=True)
class Located:
    """Sampled places with their files."""

    places: pl.DataFrame
    """`pc`, `pid` (KERNEL, UNKNOWN or a process), `mapping` (row in mappings; -1: none), `file`
    (place in `files`, null where unknown) and `offset` (in it), then the counts."""
    files: pl.DataFrame
    """`path` and `build_id`."""
    shared_samples: int
    """Samples that were placed by what all processes have at their address."""


def locate(places: pl.DataFrame, spaces: AddressSpaces) -> Located:
    """The file and the place in it of each (`epoch`, `pc`) of `places`.

    The kernel's image counts from where it is mapped, files from their first byte.
    """
    pcs = places["pc"].fill_null(0).to_numpy()
    epochs = places["epoch"].to_numpy()
    space = spaces.spaces_of(epochs)
    pids = spaces.pids[space]
    rows = spaces.find(epochs, pcs)
    rows, shared = _with_shared(rows, pcs, space, spaces)
    known = places["pc"].is_not_null().to_numpy()
    placed = (
        places.drop("epoch")
        .with_columns(pl.Series("pid", pids), pl.Series("mapping", np.where(known, rows, -1)))
        .join(_files_of(spaces.mappings), on="mapping", how="left", maintain_order="left")
        .with_columns((pl.col("pc") - pl.col("start") + pl.col("base")).alias("offset"))
    )
    files = placed.select("path", "build_id").filter(pl.col("path").is_not_null()).unique()
    files = files.sort("path", "build_id").with_row_index("file")
    placed = placed.join(files, on=["path", "build_id"], how="left", nulls_equal=True)
    counted = int(placed.filter(pl.Series(shared & known))["samples"].sum())
    return Located(placed.drop("start", "base", "path", "build_id"), files.drop("file"), counted)


def _with_shared(
    rows: Int64s, pcs: npt.NDArray[np.uint64], space: Int64s, spaces: AddressSpaces
) -> tuple[Int64s, npt.NDArray[np.bool_]]:
    """The mappings, with shared ones for processes that have none, and where those are used."""
    pids = spaces.pids[space]
    bare = (rows < 0) & (pids != KERNEL) & ((pids == UNKNOWN) | ~spaces.is_mapped[space])
    if bare.any():
        rows = rows.copy()
        rows[bare] = find_shared(spaces.mappings, spaces.sources[space[bare]], pcs[bare])
    return rows, bare & (rows >= 0)


def _files_of(mappings: pl.DataFrame) -> pl.DataFrame:
    """Per mapping (its row) its file, where it starts, and at what place of the file."""
    image = pl.col("pid").is_null() & pl.col("path").str.contains(_KERNEL_NAMES)
    return mappings.with_row_index("mapping").select(
        pl.col("mapping").cast(pl.Int64),
        pl.when(image).then(pl.lit(KERNEL_FILE)).otherwise("path").alias("path"),
        "build_id",
        "start",
        pl.when(image).then(pl.lit(0, pl.UInt64)).otherwise("file_offset").alias("base"),
    )
