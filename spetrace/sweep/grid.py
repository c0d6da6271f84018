"""The grid of a sweep: parameters by name with the values that they take, and its points."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from spetrace.errors import UsageError
from spetrace.replay.parameters import Costs, Parameters

Settings = Mapping[str, Sequence[Any]]
"""Per parameter (a cost as `costs.NAME`) its values."""

COST_PREFIX: Final = "costs."
NAMES: Final = (
    *(f.name for f in fields(Parameters) if f.name not in ("costs", "vms")),
    *(COST_PREFIX + f.name for f in fields(Costs)),
)
"""The parameters that a grid can have."""


def check_name(name: str) -> None:
    """Raise UsageError, with the names that come close, where there is no such parameter."""
    if name in NAMES:
        return
    own = [known for known in NAMES if known.removeprefix(COST_PREFIX) == name]
    close = own or difflib.get_close_matches(name, NAMES, 3, 0.5)
    there = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(NAMES)}"
    raise UsageError(f"--set {name}: no such parameter; {there}")


def check_settings(settings: Settings) -> None:
    """Raise UsageError for an unknown name, no values, one twice, or one out of range."""
    for name, values in settings.items():
        check_name(name)
        if not values:
            raise UsageError(f"--set {name}: needs at least one value")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise UsageError(f"--set {name}: {value!r} is there twice")
            _check_value(name, value)


def _check_value(name: str, value: Any) -> None:
    try:
        Parameters().updated(nested({name: value}))
    except UsageError as error:
        raise UsageError(f"--set {error}") from error


def count_points(settings: Settings) -> int:
    """How many points a grid has."""
    return math.prod(len(values) for values in settings.values())


def points(settings: Settings) -> Iterator[dict[str, Any]]:
    """All points of a grid, the last parameter's values changing first."""
    for values in itertools.product(*settings.values()):
        yield dict(zip(settings, values, strict=True))


def nested(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point as replay parameters, the costs among them in a table of their own."""
    plain = {name: value for name, value in point.items() if not name.startswith(COST_PREFIX)}
    costs = {
        name.removeprefix(COST_PREFIX): value
        for name, value in point.items()
        if name.startswith(COST_PREFIX)
    }
    return plain | ({"costs": costs} if costs else {})
