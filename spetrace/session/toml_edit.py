"""One integer of a TOML text set, all else of the text as it was."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from spetrace.errors import InputError

_VALUE: Final = r"[+-]?[0-9][0-9A-Za-z_]*"


def with_integer(source: str, path: Sequence[str | int], value: int, structure: str) -> str:
    """`source` with the key at `path` set to `value`: ("key",), or ("table", 1, "key") for the
    second [[table]].

    In the place where the key is, or else as the first line of its table. The result is parsed and
    compared, so nothing but that key differs. Raises InputError where `source` is no TOML, or is
    spelled in a way that one edit can't change.
    """
    before = _parsed(source, structure)
    *way, key = path
    expected = copy.deepcopy(before)
    table: Any = expected
    for part in way:
        table = table[part]
    is_there = key in table
    table[key] = value
    line = f"{key} = {value}"
    for start, end in _values(source, key) if is_there else _table_starts(source, way):
        gap = "\n" if source[:start].rpartition("\n")[2] else ""
        new = str(value) if is_there else f"{gap}{line}\n"
        edited = source[:start] + new + source[end:]
        if _means(edited, expected):
            return edited
    place = "".join(f"[{part}]" if isinstance(part, int) else str(part) for part in way)
    cause = f"{key} can't be set by itself: write {line} into {place or 'it'}"
    raise InputError(structure, cause)


def with_table(source: str, name: str, values: Mapping[str, int], structure: str) -> str:
    """`source` with one more [[name]] of `values` at its end; raises InputError as `with_integer`."""
    expected = copy.deepcopy(_parsed(source, structure))
    tables = expected.setdefault(name, [])
    lines = [f"[[{name}]]", *(f"{key} = {value}" for key, value in values.items())]
    if isinstance(tables, list):
        tables.append(dict(values))
        gap = "" if not source else "\n" if source.endswith("\n") else "\n\n"
        edited = source + gap + "\n".join(lines) + "\n"
        if _means(edited, expected):
            return edited
    raise InputError(structure, f"[[{name}]] can't be added: write {', '.join(lines)} into it")


def _values(source: str, key: str | int) -> list[tuple[int, int]]:
    """Where there may be values of `key`, as (start, end)."""
    found = re.finditer(rf"^[ \t]*{key}[ \t]*=[ \t]*({_VALUE})", source, re.MULTILINE)
    return [match.span(1) for match in found]


def _table_starts(source: str, way: Sequence[str | int]) -> list[tuple[int, int]]:
    """Where the first line of the table may be."""
    if not way:
        return [(0, 0)]
    header = rf"^[ \t]*\[\[[ \t]*{way[0]}[ \t]*\]\][^\n]*\n?"
    return [(match.end(), match.end()) for match in re.finditer(header, source, re.MULTILINE)]


def _means(edited: str, expected: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(edited) == expected
    except ValueError:
        return False


def _parsed(source: str, structure: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        raise InputError(structure, str(error)) from error
