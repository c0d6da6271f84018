"""Checks of TOML values: each takes a key and its value, and gives the value or raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from spetrace.errors import InputError

Check = Callable[[str, Any], Any]
STRUCTURE: Final = "session.toml"
_TOP: Final = 1 << 63


def integer(low: int = 0, high: int = _TOP - 1, step: int = 1) -> Check:
    """An integer from `low` to `high` that `step` divides."""

    def check(key: str, value: Any) -> int:
        """The value, if it is such an integer."""
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _wrong(key, value, f"an integer from {low} to {high}")
        if value % step:
            raise _wrong(key, value, f"a multiple of {step}")
        return value

    return check


def choice(*names: str) -> Check:
    """One of some words."""

    def check(key: str, value: Any) -> str:
        """The value, if it is one of the words."""
        if value not in names or not isinstance(value, str):
            raise _wrong(key, value, " or ".join(names))
        return value

    return check


def text(key: str, value: Any) -> str:
    """A string."""
    if not isinstance(value, str) or not value:
        raise _wrong(key, value, "a text")
    return value


def boolean(key: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


def list_of(check: Check) -> Check:
    """A list, each value checked."""

    def check_list(key: str, value: Any) -> tuple[Any, ...]:
        """The list's values as `check` gives them."""
        if not isinstance(value, list):
            raise _wrong(key, value, "a list")
        return tuple(check(f"{key}[{place}]", one) for place, one in enumerate(value))

    return check_list


def table(
    keys: Mapping[str, Check], make: Callable[..., Any], needed: tuple[str, ...] = ()
) -> Check:
    """A table with some of `keys`, made into a value by `make(**values)`."""

    def check(key: str, value: Any) -> Any:
        """What `make` makes of the table's values."""
        where = f"{key}." if key else ""
        if not isinstance(value, dict):
            raise _wrong(key, value, "a table")
        for name in value:
            if name not in keys:
                raise InputError(
                    STRUCTURE, f"{where}{name}: no such key; there are {', '.join(keys)}"
                )
        for name in needed:
            if name not in value:
                raise InputError(STRUCTURE, f"{where}{name}: is missing")
        return make(**{name: keys[name](where + name, one) for name, one in value.items()})

    return check


def _wrong(key: str, value: Any, wanted: str) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return InputError(STRUCTURE, f"{key}: {shown} is not {wanted}")
