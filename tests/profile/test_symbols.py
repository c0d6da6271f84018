from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_samples import elf_file

from spetrace.errors import InputError
from spetrace.profile.elf_symbols import ElfSymbols, parse_elf_symbols
from spetrace.profile.kallsyms import parse_kallsyms
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.profile.symbol_table import SymbolTable

FUNCTIONS = [("main", 0x401100, 0x40), ("tail", 0x401140, 0), ("last", 0x401200, 0x10)]
KALLSYMS = b"""\
ffff800080000000 T _text
ffff800080000000 t $x
ffff800080000100 t first
ffff800080000200 T second
ffff800080000200 t second_alias
ffff800080000300 D data
ffff80007a000000 t of_module\t[nf tables]
ffff80007a001000 t of_module\t[nf_tables]
"""


def parse(data: bytes) -> ElfSymbols:
    return parse_elf_symbols(io.BytesIO(data))


def names(table: SymbolTable, *addresses: int) -> list[str | None]:
    found = table.find(np.array(addresses, np.uint64)).tolist()
    return [None if at < 0 else table.name(at) for at in found]


def test_places_in_a_file_are_in_functions() -> None:
    elf = parse(elf_file(FUNCTIONS))
    assert (elf.machine, elf.build_id, elf.is_full) == ("EM_AARCH64", bytes(range(20)).hex(), True)
    offsets = np.array([0xFFF, 0x1000, 0x1100, 0x113F, 0x1140, 0x11FF, 0x1210, 0x2000], np.uint64)
    addresses, inside = elf.addresses(offsets)
    assert inside.tolist() == [False, *[True] * 6, False]
    want = [None, "main", "main", "tail", "tail", None]
    assert names(elf.table, *addresses[1:7].tolist()) == want


def test_symbols_that_are_no_functions_are_left_out() -> None:
    assert not len(parse(elf_file(FUNCTIONS, kind=1)).table.starts)


def test_of_two_names_the_global_one_is_shown() -> None:
    functions = [("local", 8, 4, 0), ("weak", 8, 4, 2), ("exported", 8, 4, 1), ("label", 8, 0, 1)]
    assert names(parse(elf_file(functions)).table, 8) == ["exported"]
    kallsyms = parse_kallsyms(KALLSYMS)
    assert names(kallsyms.table, 0xFFFF800080000200) == ["second"]


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 600), st.binary(min_size=1, max_size=4), st.booleans())
def test_damaged_elf_files_are_our_error(at: int, junk: bytes, cut: bool) -> None:
    whole = elf_file(FUNCTIONS)
    data = whole[:at] if cut else whole[:at] + junk + whole[at + len(junk) :]
    try:
        table = parse(data).table
    except InputError:
        return
    assert len(table.starts) == len(table.ends)
    names(table, *table.starts.tolist())


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs binutils' nm")
def test_functions_of_a_real_library_are_those_of_nm() -> None:
    libraries = subprocess.run(["ldd", sys.executable], capture_output=True, text=True, check=False)
    paths = [word for word in libraries.stdout.split() if word.startswith("/")]
    path = next((p for p in paths if "libc.so" in p), None)
    if path is None:
        pytest.skip("needs a C library that is a file")
    with Path(path).open("rb") as file:
        table = parse_elf_symbols(file).table
    listed = subprocess.run(
        ["nm", "--defined-only", "--dynamic", path], capture_output=True, text=True, check=True
    )
    known: dict[int, set[str]] = {}
    for line in listed.stdout.splitlines():
        address, kind, name = line.split(maxsplit=2)
        if kind in "TtWwi":
            known.setdefault(int(address, 16), set()).add(name.partition("@")[0])
    assert len(table.starts) > 1000
    for at, start in enumerate(table.starts.tolist()):
        assert table.name(at) in known[start]


def test_kallsyms_has_functions_with_their_modules() -> None:
    kallsyms = parse_kallsyms(KALLSYMS)
    base = 0xFFFF800080000000
    asked = [base, base + 0x1FF, base + 0x300, 0xFFFF80007A001004, 0xFFFF80007A200000]
    assert names(kallsyms.table, *asked) == ["_text", "first", None, "of_module", None]
    at = kallsyms.table.find(np.array([0xFFFF80007A001004], np.uint64))[0]
    assert kallsyms.modules[at] == "[nf_tables]"
    assert kallsyms.anchors == {"_text": base}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"", "no line"),
        (b"<html>\n", "no line"),
        (b"0000000000000000 T _text\n", "as root"),
    ],
)
def test_files_that_are_no_kallsyms_are_refused(text: bytes, cause: str) -> None:
    with pytest.raises(InputError, match=cause):
        parse_kallsyms(text)


def test_a_file_must_be_the_recorded_one(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "prog").write_bytes(elf_file(FUNCTIONS))
    (tmp_path / "usr" / "x86").write_bytes(elf_file(FUNCTIONS, machine=62))
    (tmp_path / "usr" / "text").write_bytes(b"no ELF")
    files = SymbolFiles(tmp_path)
    right = bytes(range(20)).hex()
    assert files.find("/usr/prog", right).symbols is not None
    assert not files.find("/usr/prog", right).note
    assert "on trust" in files.find("/usr/prog", None).note
    for path, build_id, note in (
        ("/usr/prog", "00", "build id"),
        ("/usr/x86", right, "EM_X86_64"),
        ("/usr/text", None, "not used"),
        ("/usr/missing", None, "not on this machine"),
        ("/usr/../usr/prog", None, "not on this machine"),
        ("//anon", None, "not on this machine"),
        ("[vdso]", None, "not on this machine"),
        (f"/{'x' * 5000}", None, "not on this machine"),
        ("/usr/prog\0", None, "not on this machine"),
    ):
        found = files.find(path, build_id)
        assert found.symbols is None
        assert note in found.note


def test_a_debug_file_has_the_local_functions(tmp_path: Path) -> None:
    stripped = elf_file(FUNCTIONS).replace(b".symtab", b".dynsym")
    build_id = bytes(range(20)).hex()
    debug = tmp_path / "usr/lib/debug/.build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    debug.parent.mkdir(parents=True)
    debug.write_bytes(elf_file([("inner", 0x401100, 0x10)]))
    (tmp_path / "prog").write_bytes(stripped)
    symbols = SymbolFiles(tmp_path).find("/prog", build_id).symbols
    assert symbols is not None
    assert names(symbols.table, 0x401104) == ["inner"]
