"""How a tracepoint's field is typed, how a text prints it, and how the print is read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

Read = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class Field:
    """One field: its type in tables, and its value as the event's own format prints it (`pattern`,
    read by `read`) and in a list of name=value (`raw_pattern`, one group, read by `raw_read`).

    Lists of name=value come from `trace-cmd report -R`, from its [FAILED TO PARSE] and from
    ftrace's trace_option fields, which prints `name=0x2 (2)` and `name=(2)`.
    """

    type: pl.DataType
    pattern: str
    read: Read
    raw_pattern: str
    raw_read: Read


_HEX = r" *\(?((?:0x)?[0-9a-f]+)"
_DECIMAL = r" *(?:0x[0-9a-f]+ )?\(? *(-?[0-9]+)(?:[ ),]|$)"


def hexadecimal(type_: pl.DataType, digits: int = 1) -> Field:
    """An integer printed in base 16, with 0x or without, in at least `digits` digits."""
    read = _integer(type_, 16)
    return Field(type_, rf" *(?:0x)?[0-9a-f]{{{digits},}}", read, _HEX, read)


def decimal(type_: pl.DataType) -> Field:
    """An integer printed in base 10."""
    read = _integer(type_, 10)
    return Field(type_, r"-?[0-9]+", read, _DECIMAL, read)


def choice(type_: pl.DataType, names: dict[str, int]) -> Field:
    """An integer printed as a name (__print_symbolic: one without a name in hex)."""

    def read(text: pl.Expr) -> pl.Expr:
        named = text.replace_strict(names, default=None, return_dtype=type_)
        unnamed = pl.when(text.str.starts_with("0x")).then(_integer(type_, 16)(text))
        return pl.coalesce(named, unnamed)

    return Field(type_, r"[\w-]+", read, _DECIMAL, _integer(type_, 10))


def flag(true: str, false: str) -> Field:
    """A bool printed as one of two words."""

    def read(text: pl.Expr) -> pl.Expr:
        return text.replace_strict({true: True, false: False}, default=None, return_dtype=boolean)

    boolean = pl.Boolean()
    return Field(boolean, f"(?:{true}|{false})", read, _DECIMAL, _is_not_zero)


def pointer() -> Field:
    """A pointer: trace-cmd prints it, ftrace a hash of it (%p) or the string it points to (null)."""

    def read(text: pl.Expr) -> pl.Expr:
        digits = text.str.extract(r"^(?:0x)?([0-9a-f]{1,16})$")
        known = text.str.starts_with("0x") | text.str.contains(r"^f[0-9a-f]{15}$")
        return pl.when(known).then(_integer(pl.UInt64(), 16)(digits))

    return Field(pl.UInt64(), r"\S*", read, _HEX, _integer(pl.UInt64(), 16))


def text() -> Field:
    """A string, to the end of the line."""
    return Field(pl.String(), ".*", lambda text: text, "(.*)", lambda text: text)


def untold(type_: pl.DataType) -> Field:
    """A field that the event's own format doesn't print."""
    read = _integer(type_, 10)
    return Field(type_, "", read, _DECIMAL, read)


def negated(type_: pl.DataType, pattern: str) -> Field:
    """An integer whose number is printed without its minus sign, in `pattern`'s brackets."""
    read = _integer(type_, 10)
    return Field(type_, pattern, lambda text: -read(_in_brackets(text)), _DECIMAL, read)


def named(type_: pl.DataType) -> Field:
    """An integer printed as its name and then in brackets as a number."""
    read = _integer(type_, 10)
    pattern = r"\w+ \([0-9]+\)"
    return Field(type_, pattern, lambda text: read(_in_brackets(text)), _DECIMAL, read)


def system_register() -> Field:
    """A system register printed as "op0,op1,CRn,CRm,op2" (sysreg.h: sys_reg)."""
    shifts = (19, 16, 12, 8, 5)

    def read(text: pl.Expr) -> pl.Expr:
        parts = text.str.split(",").list
        numbers = [parts.get(i, null_on_oob=True).cast(pl.UInt32, strict=False) for i in range(5)]
        return pl.sum_horizontal(n * (1 << s) for n, s in zip(numbers, shifts, strict=True))

    return Field(pl.UInt32(), r"[0-9]+(?:,[0-9]+){4}", read, _DECIMAL, _integer(pl.UInt32(), 10))


def _in_brackets(text: pl.Expr) -> pl.Expr:
    return text.str.extract(r"\(([0-9]+)\)")


def _integer(type_: pl.DataType, base: int) -> Read:
    wide = pl.Int64() if type_.is_signed_integer() else pl.UInt64()

    def read(text: pl.Expr) -> pl.Expr:
        digits = text.str.strip_chars_start(" ").str.strip_prefix("0x")
        return digits.str.to_integer(base=base, dtype=wide, strict=False).cast(type_, strict=False)

    return read


def _is_not_zero(text: pl.Expr) -> pl.Expr:
    return text != "0"
