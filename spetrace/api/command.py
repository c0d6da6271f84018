"""The Python call that made a run, as its reports name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from spetrace.session.options import AssumedSpe, SessionOptions


def replay_call(
    paths: Sequence[Path],
    raw_spe: Sequence[Path],
    options: SessionOptions,
    keywords: Mapping[str, Any],
) -> str:
    """`spetrace.replay(spetrace.open_session(...), ...)`, with what was said of either."""
    said = {f.name: getattr(options, f.name) for f in fields(options)}
    given = {name: value for name, value in said.items() if value is not None}
    raw = {"raw_spe": list(raw_spe)} if raw_spe else {}
    opened = _call("spetrace.open_session", [repr(str(path)) for path in paths], raw | given)
    return _call("spetrace.replay", [opened], keywords)


def _call(name: str, arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    named = [f"{key}={_value(value)}" for key, value in keywords.items()]
    return f"{name}({', '.join([*arguments, *named])})"


def _value(value: Any) -> str:
    if isinstance(value, AssumedSpe):
        return repr(vars(value))
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return value.__name__ if isinstance(value, type) else repr(value)
