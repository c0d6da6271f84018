"""What the kernel prints of a tracepoint, as a program for the print kernel."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from spetrace.ingest.event_text.field import Field

_PARTS = re.compile(r"(\{\w*\}|\{\?|\?\})")
_NO_FIELD = -1


class Step(IntEnum):
    """The steps of a program; its rows are step, field, first and last byte of a literal (of FIELD:
    first and last word), fewest digits, next row behind an option.
    """

    LITERAL = 0
    FIELD = 1
    SKIP = 2
    """Anything, up to the first place where the literal of the next step stands."""
    OPTION = 3
    """The steps up to OPTION_END may be missing; field: their end."""
    OPTION_END = 4


@dataclass(frozen=True)
class Program:
    """A format in arrays: rows of steps, of words (first, last byte, value), of fields (form, bits,
    signed, first and last byte of the name), and the bytes that they speak of.
    """

    steps: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    fields: npt.NDArray[np.int64]
    texts: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PrintFormat:
    """A tracepoint's fields in their order, and the program that reads its text."""

    template: str
    fields: dict[str, Field]
    program: Program


def print_format(template: str, **fields: Field) -> PrintFormat:
    """The format whose text is `template`: {name} stands for a field, {} for anything, and what
    stands between {? and ?} may be missing. A blank stands for one or more.

    trace-cmd's x86 plug-in writes complaints before the text of arm64's events; they are skipped.
    """
    return PrintFormat(template, fields, _Compiler(fields).program(template))


class _Compiler:
    """One template on its way to a program: what is told of its fields, and the words so far."""

    def __init__(self, fields: dict[str, Field]) -> None:
        self._fields = fields
        self._texts = bytearray()

    def program(self, template: str) -> Program:
        """The program that reads what the template prints."""
        names = list(self._fields)
        words, first_word = self._words()
        steps: list[tuple[int, int, int, int]] = []
        options: list[int] = []
        for part in filter(None, _PARTS.split(template)):
            if part == "{?":
                options.append(len(steps))
                steps.append((Step.OPTION, _NO_FIELD, 0, 0))
            elif part == "?}":
                start = options.pop()
                steps[start] = (Step.OPTION, len(steps) + 1, 0, 0)
                steps.append((Step.OPTION_END, _NO_FIELD, 0, 0))
            elif part == "{}":
                steps.append((Step.SKIP, _NO_FIELD, 0, 0))
            elif part.startswith("{"):
                name = part[1:-1]
                span = first_word[name], first_word[name] + len(self._fields[name].words)
                steps.append((Step.FIELD, names.index(name), *span))
            else:
                steps.append((Step.LITERAL, _NO_FIELD, *self._text(part)))
        fields = [
            (f.form, f.bits, f.type.is_signed_integer(), f.digits, *self._text(name))
            for name, f in self._fields.items()
        ]
        texts = np.frombuffer(bytes(self._texts), np.uint8)
        return Program(_rows(steps, 4), words, _rows(fields, 6), texts)

    def _words(self) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
        rows: list[tuple[int, int, int]] = []
        first: dict[str, int] = {}
        for name, field in self._fields.items():
            first[name] = len(rows)
            rows += [(*self._text(word), value) for word, value in field.words.items()]
        return _rows(rows, 3), first

    def _text(self, text: str) -> tuple[int, int]:
        first = len(self._texts)
        self._texts += text.encode()
        return first, len(self._texts)


def _rows(rows: Sequence[tuple[int, ...]], width: int) -> npt.NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(len(rows), width)


def column_name(field: str, taken: Container[str]) -> str:
    """The column of a field: its own name, with "_f" behind it where a column has that already."""
    while field in taken:
        field += "_f"
    return field
