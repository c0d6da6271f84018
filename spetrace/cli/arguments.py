"""How values on the command line are spelled: sizes, `none`, NAME=NS pairs, optional values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import typer

from spetrace.session.options import AssumedSpe

_SUFFIXES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(0x[0-9a-f]{1,16}|[0-9]{1,20})(?:([KMGT]?)(?:i?B)?)", re.IGNORECASE)
_KEY_VALUE = re.compile(r"[a-z_]+=")
_INTEGER = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**64 - 1
OPTIONAL_VALUE = "--assume-spe"


class Unlimited(Enum):
    """The word `none` as a value: no limit (an option that was not given is None)."""

    NONE = "none"


def expand_optional_values(arguments: Sequence[str]) -> list[str]:
    """Give a bare `--assume-spe` its empty value, so that a file name may follow it."""
    expanded: list[str] = []
    for place, argument in enumerate(arguments):
        if argument == "--":
            return [*expanded, *arguments[place:]]
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        bare = argument == OPTIONAL_VALUE and not _KEY_VALUE.match(following)
        expanded.append(f"{OPTIONAL_VALUE}=" if bare else argument)
    return expanded


def parse_size(text: str | int) -> int:
    """Bytes or an address: decimal or 0x…, with K, M, G or T (powers of 1024).

    Raises typer.BadParameter for anything else.
    """
    match = _SIZE.fullmatch(str(text))
    if not match:
        raise typer.BadParameter(f"{text!r} is no size: write bytes, or 64K, 16M, 4G, 0x80000000")
    value = int(match[1], 0 if match[1][:2] in ("0x", "0X") else 10)
    value *= _SUFFIXES[(match[2] or "").upper()]
    if value > _LARGEST:
        raise typer.BadParameter(f"{text!r} does not fit 64 bits")
    return value


def parse_limit(text: str | Unlimited) -> int | Unlimited:
    """As parse_size, or `none`."""
    if isinstance(text, Unlimited) or text.lower() == "none":
        return Unlimited.NONE
    return parse_size(text)


def parse_duration(text: str | Unlimited) -> int | Unlimited:
    """Nanoseconds as a decimal integer, or `none`."""
    if isinstance(text, Unlimited) or text.lower() == "none":
        return Unlimited.NONE
    if not _INTEGER.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no number of ns, nor none")
    return int(text)


def parse_costs(pairs: Sequence[str]) -> dict[str, int]:
    """NAME=NS pairs as a mapping; the names are checked where the replay's parameters are made."""
    costs = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not _INTEGER.fullmatch(value):
            raise typer.BadParameter(f"--cost {pair!r}: write NAME=NS, such as vm_exit_ns=1500")
        costs[name] = int(value)
    return costs


def parse_assumed_spe(text: str | None) -> AssumedSpe | None:
    """`k=v,…` over the defaults of AssumedSpe; empty for all defaults, None where not given."""
    if text is None:
        return None
    values = {}
    for pair in filter(None, text.split(",")):
        name, _, value = pair.partition("=")
        if name not in AssumedSpe.__dataclass_fields__:
            raise typer.BadParameter(
                f"--assume-spe {pair!r}: there are {', '.join(AssumedSpe.__dataclass_fields__)}"
            )
        values[name] = parse_size(value)
        if not values[name]:
            raise typer.BadParameter(f"--assume-spe {pair!r}: must be above 0")
    return AssumedSpe(**values)
