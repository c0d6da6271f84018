"""session.json of a results or session folder: what a run or session rests on, read back and checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spetrace.errors import InputError

VERSION = 1
_LISTS = ("inputs", "assumptions", "costs", "clocks", "machines")
_TABLES = ("parameters", "strategies", "excluded", "versions")


def load_session(path: Path) -> dict[str, Any]:
    """The `session` of the run, or the description of the session, that was saved beside `path`.

    Raises InputError where the file is missing, no such JSON, or of a newer version.
    """
    try:
        session = json.loads(path.read_bytes())
    except OSError as error:
        raise _error(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _error(path, f"is no JSON: {error}") from error
    if not isinstance(session, dict):
        raise _error(path, "is no JSON object")
    _check(session, path)
    return session


def _check(session: dict[str, Any], path: Path) -> None:
    version = session.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise _error(path, f"is of version {version}; this spetrace reads versions up to {VERSION}")
    for name in _LISTS:
        entries = session.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise _error(path, f"{name} is no list of objects")
    if not all(isinstance(i.get("size_bytes"), int | None) for i in session.get("inputs", [])):
        raise _error(path, "inputs: size_bytes is no integer")
    for name in _TABLES:
        if not isinstance(session.get(name, {}), dict):
            raise _error(path, f"{name} is no object")
    if not all(isinstance(about, dict) for about in session.get("strategies", {}).values()):
        raise _error(path, "strategies holds something else than objects")
    if not _is_span(session.get("span_ns")):
        raise _error(path, "span_ns is no pair of integers")


def _is_span(span: Any) -> bool:
    pair = isinstance(span, list) and len(span) == 2 and all(isinstance(t, int) for t in span)
    return span is None or pair


def _error(path: Path, cause: str) -> InputError:
    return InputError("session.json", cause, file=str(path))
