"""How captures and a grid are spelled on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import typer

from spetrace.cli.arguments import Unlimited, parse_duration, parse_limit
from spetrace.errors import UsageError
from spetrace.sweep.grid import COST_PREFIX, NAMES, check_name, check_settings
from spetrace.workflow.sweep_sessions import CaptureInput

_WORDS = ("initial_stage2", "dl_model", "data_loss")


def parse_captures(arguments: Sequence[str], groups: Sequence[str]) -> list[CaptureInput]:
    """Captures of one file or folder each, named as that, then the NAME=FILE,... of --capture.

    Raises UsageError for a group that is not spelled so.
    """
    captures = [CaptureInput(_name_of(location), (location,)) for location in arguments]
    for group in groups:
        name, _, files = group.partition("=")
        parts = tuple(filter(None, files.split(",")))
        if not name or not parts or "/" in name:
            raise UsageError(f"--capture {group!r}: write NAME=FILE,FILE,...")
        captures.append(CaptureInput(name, parts))
    return captures


def parse_settings(texts: Sequence[str]) -> dict[str, list[Any]]:
    """NAME=VALUE,... pairs as a grid; of one name all values.

    Raises UsageError for a name that is none, or a value that the parameter can't have.
    """
    settings: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text!r}: write NAME=VALUE,VALUE,...")
        check_name(name)
        settings.setdefault(name, []).extend(_value(name, value) for value in _split(values))
    check_settings(settings)
    return settings


def complete_setting(incomplete: str) -> list[str]:
    """The parameters that begin so."""
    return [f"{name}=" for name in NAMES if name.startswith(incomplete)]


def _split(values: str) -> list[str]:
    return [value.strip() for value in values.split(",")]


def _value(name: str, text: str) -> Any:
    if name in _WORDS:
        return text
    if name == "pin_refuses":
        return "" if text == "none" else text.replace("+", ",")
    in_ns = name == "keep_ns" or name.startswith(COST_PREFIX)
    try:
        value = parse_duration(text) if in_ns else parse_limit(text)
    except typer.BadParameter as error:
        raise UsageError(f"--set {name}: {error}") from error
    return None if value is Unlimited.NONE else value


def _name_of(location: str) -> str:
    return PurePosixPath(location.rstrip("/")).stem or location
