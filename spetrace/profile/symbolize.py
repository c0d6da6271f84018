"""The functions that sampled places are in: those of ELF files and, in the kernel, of kallsyms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.profile.address_spaces import KERNEL
from spetrace.profile.kallsyms import Kallsyms
from spetrace.profile.locate import KERNEL_FILE, Located
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.profile.symbol_table import SymbolTable
from spetrace.tables.session import Assumption

_NOTES: Final = 10
"""Files whose trouble is told one by one."""
_ANCHOR: Final = r"^\[kernel\.kallsyms\](_s?text)$"
Addresses = npt.NDArray[np.uint64]


@dataclass
class Symbols:
    """Names per place: `symbol`, `symbol_offset`, and `module` (the kernel's, where it is one)."""

    symbol: npt.NDArray[np.object_]
    symbol_offset: npt.NDArray[np.int64]
    module: npt.NDArray[np.object_]
    notes: list[Assumption] = field(default_factory=list)

    def name(
        self, places: npt.NDArray[np.int64], table: SymbolTable, addresses: Addresses
    ) -> npt.NDArray[np.int64]:
        """Name `places` by their addresses; the places in `table` that they were found at."""
        found = table.find(addresses)
        hits = np.flatnonzero(found >= 0)
        distinct, which = np.unique(found[hits], return_inverse=True)
        names = np.array([table.name(at) for at in distinct.tolist()], dtype=object)
        if len(hits):
            self.symbol[places[hits]] = names[which]
            offsets = addresses[hits] - table.starts[found[hits]]
            self.symbol_offset[places[hits]] = offsets.astype(np.int64)
        return found


def symbolize(
    located: Located, mappings: pl.DataFrame, files: SymbolFiles, kallsyms: Kallsyms | None
) -> tuple[pl.DataFrame, list[Assumption]]:
    """The places with `symbol`, `symbol_offset` and `path`, and what their names rest on."""
    places = located.places
    named = Symbols(
        np.full(len(places), None, dtype=object),
        np.full(len(places), -1, np.int64),
        np.full(len(places), None, dtype=object),
    )
    in_kernel = places["pid"].to_numpy() == KERNEL
    if kallsyms:
        _name_kernel(places, np.flatnonzero(in_kernel), mappings, kallsyms, named)
    _name_files(located, in_kernel & (named.symbol == np.array(None)), files, named)
    offset = pl.Series("symbol_offset", named.symbol_offset)
    path = located.files["path"].gather(places["file"])
    module = pl.Series("path", named.module.tolist(), dtype=pl.String)
    complete = places.with_columns(
        pl.Series("symbol", named.symbol.tolist(), dtype=pl.String),
        pl.when(offset >= 0).then(offset).cast(pl.UInt64).alias("symbol_offset"),
        pl.coalesce(module, path).alias("path"),
    )
    return complete, named.notes


def _name_kernel(
    places: pl.DataFrame,
    at: npt.NDArray[np.int64],
    mappings: pl.DataFrame,
    kallsyms: Kallsyms,
    named: Symbols,
) -> None:
    slide, note = _slide(mappings, kallsyms)
    named.notes.extend(note)
    pcs = places["pc"].fill_null(0).to_numpy()[at]
    found = named.name(at, kallsyms.table, pcs - np.uint64(slide & (1 << 64) - 1))
    hits = found >= 0
    modules = np.array([m or KERNEL_FILE for m in kallsyms.modules], dtype=object)
    named.module[at[hits]] = modules[found[hits]]


def _slide(mappings: pl.DataFrame, kallsyms: Kallsyms) -> tuple[int, list[Assumption]]:
    """How far the recorded kernel lies above the addresses in kallsyms (another boot's, by KASLR)."""
    anchors = mappings.select(
        pl.col("path").str.extract(_ANCHOR, 1).alias("anchor"), "file_offset"
    ).drop_nulls("anchor")
    for name, recorded in anchors.unique(maintain_order=True).iter_rows():
        known = kallsyms.anchors.get(name)
        if known and recorded:
            slide = recorded - known
            text = f"{name} was at {recorded:#x} in the recording and is at {known:#x} in kallsyms"
            moved = [Assumption("kallsyms", f"{slide:+#x}", f"{text}: addresses are moved by that")]
            return slide, moved if slide else []
    text = "the recording doesn't tell where its kernel lay: kallsyms is taken to be of that boot"
    return 0, [Assumption("kallsyms", "+0x0", text)]


def _name_files(
    located: Located, skipped: npt.NDArray[np.bool_], files: SymbolFiles, named: Symbols
) -> None:
    troubles = []
    for at, path, build_id, samples in _by_file(located, skipped):
        found = files.find(path, build_id)
        if found.note:
            troubles.append((samples, path, found.note))
        if found.symbols:
            offsets = located.places["offset"].gather(at).to_numpy()
            addresses, inside = found.symbols.addresses(offsets)
            named.name(at[inside], found.symbols.table, addresses[inside])
    troubles.sort(key=lambda trouble: (-trouble[0], trouble[1]))
    named.notes.extend(
        Assumption("symbols", path, f"{note} ({samples:,} samples)")
        for samples, path, note in troubles[:_NOTES]
    )
    if rest := troubles[_NOTES:]:
        text = f"are without symbols or on trust too ({sum(t[0] for t in rest):,} samples)"
        named.notes.append(Assumption("symbols", f"{len(rest):,} more files", text))


def _by_file(
    located: Located, skipped: npt.NDArray[np.bool_]
) -> Iterator[tuple[npt.NDArray[np.int64], str, str | None, int]]:
    """Per file that can be looked for: its places, path, build id and samples."""
    places = located.places.with_row_index("at").filter(~pl.Series(skipped))
    groups = places.drop_nulls("file").group_by("file").agg("at", pl.col("samples").sum())
    for file, at, samples in groups.sort("file").iter_rows():
        path, build_id = located.files.row(file)
        if path.startswith("/"):
            yield np.array(at, np.int64), path, build_id, samples
