"""The ELF files that a recording's mappings name, where this machine (or a copy) has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from spetrace.errors import InputError
from spetrace.profile.elf_symbols import ElfSymbols, parse_elf_symbols

_MACHINES: Final = ("EM_AARCH64", "EM_ARM")
"""What SPE samples: 64-bit and 32-bit Arm programs."""
_DEBUG_FOLDER: Final = "usr/lib/debug/.build-id"


@dataclass(frozen=True)
class Found:
    """An ELF file that fits a mapping, or why there is none."""

    symbols: ElfSymbols | None
    note: str = ""
    """Why there is none, or on what trust it was taken; empty where there is nothing to say."""


@dataclass
class SymbolFiles:
    """ELF files below `root`, opened when asked for."""

    root: Path = Path("/")
    _found: dict[tuple[str, str | None], Found] = field(default_factory=dict)

    def find(self, path: str, build_id: str | None) -> Found:
        """The file at `path` below the root, if it is the one that was recorded.

        Its build id must be the recorded one; its functions are those of its separate debug file
        (below /usr/lib/debug/.build-id) where that has more.
        """
        key = path, build_id
        if key not in self._found:
            self._found[key] = self._search(path, build_id)
        return self._found[key]

    def _search(self, path: str, build_id: str | None) -> Found:
        place = self._below_root(path)
        if place is None or not _is_file(place):
            return Found(None, "is not on this machine")
        try:
            symbols = _load(place)
        except InputError as error:
            return Found(None, f"is not used: {error.structure}: {error.cause}")
        if symbols.machine not in _MACHINES:
            return Found(None, f"is not used: it is for {symbols.machine}, not for Arm")
        if build_id and symbols.build_id != build_id:
            return Found(None, "is not used: its build id is not the recorded one")
        note = "" if build_id else "is taken on trust: the recording has no build id of it"
        return Found(self._with_debug_file(symbols), note)

    def _with_debug_file(self, symbols: ElfSymbols) -> ElfSymbols:
        """The file's segments with its debug file's functions, where it has one."""
        if symbols.is_full or not symbols.build_id:
            return symbols
        name = f"{symbols.build_id[:2]}/{symbols.build_id[2:]}.debug"
        place = self.root / _DEBUG_FOLDER / name
        try:
            debug = _load(place) if _is_file(place) else symbols
        except InputError:
            return symbols
        same = debug.build_id == symbols.build_id and debug.is_full
        return symbols.with_functions(debug) if same else symbols

    def _below_root(self, path: str) -> Path | None:
        """`path` below the root; None for a name that is no file's."""
        if not path.startswith("/") or path.startswith("//") or "\0" in path:
            return None
        parts = PurePosixPath(path).parts[1:]
        return None if ".." in parts else self.root.joinpath(*parts)


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except OSError:  # a name too long, a folder that may not be looked into
        return False


def _load(place: Path) -> ElfSymbols:
    try:
        with place.open("rb") as file:
            return parse_elf_symbols(file)
    except OSError as error:
        raise InputError("ELF file", error.strerror or str(error)) from error
