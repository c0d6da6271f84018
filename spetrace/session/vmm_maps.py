"""Guest RAM in a VMM's /proc/PID/maps (proc_pid_maps(5))."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from spetrace.errors import InputError
from spetrace.session.memslots import Memslot
from spetrace.session.side_file import read_side_file

_STRUCTURE: Final = "/proc/PID/maps"
_LINE = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) (..)..(?: .*)?")
_ALIGNMENT: Final = 2 << 20
"""VMMs align guest RAM to 2 MiB within a mapping that is larger by as much (kvmtool, arm/kvm.c)."""


def find_guest_ram(source: str, ram_base: int, ram_bytes: int) -> Memslot:
    """The memslot of guest RAM: the smallest writable mapping that is as large as the RAM.

    One that is larger is aligned to 2 MiB where that fits. Raises InputError where a line is no
    mapping or none is large enough.
    """
    fitting = [
        (end - start, start)
        for start, end, rights in map(_mapping, enumerate(source.splitlines(), 1))
        if rights == "rw" and end - start >= ram_bytes
    ]
    if not fitting:
        raise InputError(_STRUCTURE, f"no writable mapping has {ram_bytes} bytes or more")
    size, start = min(fitting)
    aligned = -(-start // _ALIGNMENT) * _ALIGNMENT
    hva = aligned if aligned + ram_bytes <= start + size else start
    return Memslot(hva, ram_base, ram_bytes)


def read_guest_ram(path: Path, ram_base: int, ram_bytes: int) -> Memslot:
    """`find_guest_ram` of a file."""
    try:
        return find_guest_ram(read_side_file(path, _STRUCTURE), ram_base, ram_bytes)
    except InputError as error:
        raise error.in_file(str(path)) from error


def _mapping(numbered: tuple[int, str]) -> tuple[int, int, str]:
    number, line = numbered
    match = _LINE.fullmatch(line)
    if not match:
        raise InputError(_STRUCTURE, "is no mapping (START-END RIGHTS ...)", line=number)
    return int(match[1], 16), int(match[2], 16), match[3]
