"""Which written tables this spetrace reads: those of its own major versions, and older ones.

A table that an older minor version wrote lacks columns, which are null; one that a newer minor
version wrote has more, which are left away.
"""

from __future__ import annotations

from collections.abc import Mapping

from spetrace.errors import InputError
from spetrace.tables.table import Table


def check_version(declared: Table, metadata: Mapping[bytes, bytes]) -> None:
    """Raise InputError unless a file's schema metadata say that it holds `declared`, not newer."""
    name, version = (_text(metadata, key) for key in (b"spetrace.table", b"spetrace.version"))
    if name != declared.name:
        found = f"is table {name}" if name else "names no spetrace table"
        raise InputError(f"table {declared.name}", f"the file {found}")
    major, known = version.partition(".")[0], declared.version.partition(".")[0]
    if not major.isdecimal() or int(major) > int(known):
        cause = f"is of version {version}; this spetrace reads versions up to {known}.x"
        raise InputError(f"table {declared.name}", cause)


def names_table(declared: Table, metadata: Mapping[bytes, bytes]) -> bool:
    """Whether a file's schema metadata call it `declared`, of whatever version."""
    return _text(metadata, b"spetrace.table") == declared.name


def _text(metadata: Mapping[bytes, bytes], key: bytes) -> str:
    return metadata.get(key, b"").decode("utf-8", "replace")
