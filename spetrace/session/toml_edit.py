"""One top-level key of a TOML text set, all else of the text as it was."""

from __future__ import annotations

import re
import tomllib
from typing import Final

from spetrace.errors import InputError

_VALUE: Final = r"[+-]?[0-9][0-9A-Za-z_]*"


def with_integer(source: str, key: str, value: int, structure: str) -> str:
    """`source` with `key = value`: in the place where the key is, or else as its first line.

    The result is parsed and compared, so nothing but that key differs. Raises InputError where
    `source` is no TOML, or spells the key in a way that one edit can't change.
    """
    before = _parsed(source, structure)
    edited = source
    if key in before:
        found = re.compile(rf"^([ \t]*{key}[ \t]*=[ \t]*){_VALUE}", re.MULTILINE)
        for match in found.finditer(source):
            edited = f"{source[: match.start()]}{match[1]}{value}{source[match.end() :]}"
            if _is_set(edited, before, key, value):
                return edited
    else:
        edited = f"{key} = {value}\n{source}"
        if _is_set(edited, before, key, value):
            return edited
    raise InputError(structure, f"{key} can't be set by itself: write {key} = {value} into it")


def _is_set(edited: str, before: dict[str, object], key: str, value: int) -> bool:
    try:
        return tomllib.loads(edited) == {**before, key: value}
    except ValueError:
        return False


def _parsed(source: str, structure: str) -> dict[str, object]:
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        raise InputError(structure, str(error)) from error
