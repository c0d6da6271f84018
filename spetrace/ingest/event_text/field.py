"""How a tracepoint's field is typed and how a text prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import polars as pl


class Form(IntEnum):
    """How the event's own format prints a field, and how a list of name=value does (in brackets).

    Lists of name=value come from `trace-cmd report -R`, from its [FAILED TO PARSE] and from
    ftrace's trace_option fields, which prints `name=0x2 (2)` and `name=(2)`.
    """

    HEXADECIMAL = 0
    """In base 16, with 0x or without (the same)."""
    DECIMAL = 1
    """In base 10 (the same, or within brackets behind the hexadecimal)."""
    CHOICE = 2
    """As a name of __print_symbolic, one without a name in hex (as DECIMAL)."""
    WORD = 3
    """As one of few words that may hold blanks (as DECIMAL)."""
    POINTER = 4
    """As an address by trace-cmd, as a hash of it (%p) or the string there by ftrace: then null (hex)."""
    TEXT = 5
    """To the end of the line (the same)."""
    UNTOLD = 6
    """Not at all (as DECIMAL)."""
    NEGATED = 7
    """As one of few words and, in brackets, the number without its minus sign (as DECIMAL)."""
    NAMED = 8
    """As a name and then in brackets as a number (as DECIMAL)."""
    SYSTEM_REGISTER = 9
    """As "op0,op1,CRn,CRm,op2" (arch/arm64/include/asm/sysreg.h: sys_reg) (as DECIMAL)."""


@dataclass(frozen=True)
class Field:
    """One field: its type in tables and its printed form.

    `words` are the names or words of the form with their values; `digits` are the fewest that a
    hexadecimal number is printed with.
    """

    type: pl.DataType
    form: Form
    words: dict[str, int] = field(default_factory=dict)
    digits: int = 1

    @property
    def bits(self) -> int:
        """Width of the values."""
        widths = {pl.Boolean: 1, pl.Int32: 32, pl.UInt32: 32, pl.UInt8: 8}
        return widths.get(type(self.type), 64)


def hexadecimal(type_: pl.DataType, digits: int = 1) -> Field:
    """An integer printed in base 16, with 0x or without, in at least `digits` digits."""
    return Field(type_, Form.HEXADECIMAL, digits=digits)


def decimal(type_: pl.DataType) -> Field:
    """An integer printed in base 10."""
    return Field(type_, Form.DECIMAL)


def choice(type_: pl.DataType, names: dict[str, int]) -> Field:
    """An integer printed as a name (__print_symbolic: one without a name in hex)."""
    return Field(type_, Form.CHOICE, names)


def flag(true: str, false: str) -> Field:
    """A bool printed as one of two words."""
    return Field(pl.Boolean(), Form.WORD, {true: 1, false: 0})


def pointer() -> Field:
    """A pointer: trace-cmd prints it, ftrace a hash of it (%p) or the string it points to (null)."""
    return Field(pl.UInt64(), Form.POINTER)


def text() -> Field:
    """A string, to the end of the line."""
    return Field(pl.String(), Form.TEXT)


def untold(type_: pl.DataType) -> Field:
    """A field that the event's own format doesn't print."""
    return Field(type_, Form.UNTOLD)


def negated(type_: pl.DataType, *words: str) -> Field:
    """An integer printed as one of the words and in brackets its number without the minus sign."""
    return Field(type_, Form.NEGATED, dict.fromkeys(words, 0))


def named(type_: pl.DataType) -> Field:
    """An integer printed as its name and then in brackets as a number."""
    return Field(type_, Form.NAMED)


def system_register() -> Field:
    """A system register printed as "op0,op1,CRn,CRm,op2"."""
    return Field(pl.UInt32(), Form.SYSTEM_REGISTER)
