"""The functions of an ELF file and where its segments lie, by pyelftools.

Symbol tables are read as arrays (System V ABI, "Symbol Table": 24 bytes a symbol in 64-bit files, 16
in 32-bit ones); pyelftools finds the sections, segments and notes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from spetrace.errors import InputError
from spetrace.profile.symbol_table import SymbolTable, Uint64s, symbol_table

_SYM64: Final = [
    ("name", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2"), ("value", "u8"),
    ("size", "u8"),
]  # fmt: skip
_SYM32: Final = [
    ("name", "u4"), ("value", "u4"), ("size", "u4"), ("info", "u1"), ("other", "u1"),
    ("section", "u2"),
]  # fmt: skip
_FUNCTION, _INDIRECT_FUNCTION = 2, 10
_UNDEFINED: Final = 0
_BINDING_RANKS: Final = np.array([2, 0, 1] + [3] * 13, np.int64)
"""Of symbols at one address a global one is shown, else a weak, else a local one (0)."""
_NOT_SIZED: Final = 8
"""Ranks any symbol without a size below all that have one."""
_TABLES: Final = (".symtab", ".dynsym")


@dataclass(frozen=True)
class ElfSymbols:
    """What an ELF file tells about places in it."""

    machine: str
    """e_machine, as EM_AARCH64."""
    build_id: str | None
    """GNU build id as hex digits."""
    segment_offsets: Uint64s
    segment_sizes: Uint64s
    segment_addresses: Uint64s
    """Per loaded segment p_offset, p_filesz and p_vaddr, in order of p_offset."""
    table: SymbolTable
    is_full: bool
    """From .symtab; .dynsym has the exported functions alone."""

    def with_functions(self, other: ElfSymbols) -> ElfSymbols:
        """The file's own segments with the functions of `other`, its separate debug file."""
        return replace(self, table=other.table, is_full=other.is_full)

    def addresses(self, offsets: Uint64s) -> tuple[Uint64s, npt.NDArray[np.bool_]]:
        """The virtual addresses of places in the file, and which of them lie in a segment."""
        if not len(self.segment_offsets):
            return offsets, np.zeros(len(offsets), np.bool_)
        at = np.searchsorted(self.segment_offsets, offsets, "right") - 1
        at_least = np.maximum(at, 0)
        distance = offsets - self.segment_offsets[at_least]
        inside = (at >= 0) & (distance < self.segment_sizes[at_least])
        return np.asarray(self.segment_addresses[at_least] + distance, np.uint64), inside


def parse_elf_symbols(file: BinaryIO) -> ElfSymbols:
    """The functions of an ELF file: those of .symtab, else of .dynsym.

    Raises InputError where it is no ELF file, or a damaged one.
    """
    try:
        return _parse(ELFFile(file))
    except ELFError as error:
        raise InputError("ELF file", str(error) or "is damaged") from error
    except Exception as error:
        # pyelftools trusts sizes, offsets and indices in the file: wrong ones end in whatever
        # Python raises on the way, and in errors of its own parsing library.
        raise InputError("ELF file", f"is damaged: {type(error).__name__}: {error}") from error


def _parse(elf: Any) -> ElfSymbols:
    loaded = sorted(
        (s["p_offset"], s["p_filesz"], s["p_vaddr"])
        for s in elf.iter_segments()
        if s["p_type"] == "PT_LOAD"
    )
    offsets, sizes, addresses = np.array(loaded, np.uint64).reshape(-1, 3).T
    found = next((s for n in _TABLES if (s := elf.get_section_by_name(n)) is not None), None)
    return ElfSymbols(
        machine=str(elf["e_machine"]),
        build_id=_build_id(elf),
        segment_offsets=offsets,
        segment_sizes=sizes,
        segment_addresses=addresses,
        table=_functions(elf, found),
        is_full=found is not None and found.name == _TABLES[0],
    )


def _build_id(elf: Any) -> str | None:
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_NOTE":
            for note in segment.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return str(note["n_desc"])
    return None


def _functions(elf: Any, section: Any) -> SymbolTable:
    layout = np.dtype(_SYM64 if elf.elfclass == 64 else _SYM32)
    layout = layout.newbyteorder("<" if elf.little_endian else ">")
    data, names = b"", b""
    if section is not None and section["sh_type"] != "SHT_NOBITS":
        data, names = section.data(), elf.get_section(section["sh_link"]).data()
    symbols = np.frombuffer(data[: len(data) // layout.itemsize * layout.itemsize], layout)
    kind = symbols["info"] & 0xF
    usable = (kind == _FUNCTION) | (kind == _INDIRECT_FUNCTION)
    usable &= (symbols["section"] != _UNDEFINED) & (symbols["name"] < len(names))
    symbols = symbols[usable]
    ranks = _BINDING_RANKS[symbols["info"] >> 4] + np.where(symbols["size"] == 0, _NOT_SIZED, 0)
    return symbol_table(
        symbols["value"].astype(np.uint64),
        symbols["size"].astype(np.uint64),
        symbols["name"].astype(np.int64),
        names,
        ranks,
    )
