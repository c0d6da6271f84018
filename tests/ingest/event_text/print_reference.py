"""A print format's texts read by a regular expression: what the print kernel is compared with."""

from __future__ import annotations

import re

import polars as pl

from spetrace.ingest.event_text.field import Field, Form
from spetrace.ingest.event_text.print_format import PrintFormat

NOISE = r"(?:CAN'T +FIND +FIELD +\"\w+\"|<CANT +FIND +FIELD +\w+>)*\s*"
END = r"(?:\s+[0-9a-f]{5,16}(?:\s.*)?)?\s*"
PART = re.compile(r"(\{\w*\}|\{\?|\?\})")


def pattern_of(field: Field) -> str:
    words = "|".join(map(re.escape, field.words))
    return {
        Form.HEXADECIMAL: rf"\s*(?:0x)?[0-9a-f]{{{field.digits},}}",
        Form.DECIMAL: "-?[0-9]+",
        Form.CHOICE: r"[\w-]+",
        Form.WORD: f"(?:{words})",
        Form.POINTER: r"\S*",
        Form.TEXT: ".*",
        Form.UNTOLD: "",
        Form.NEGATED: rf"(?:{words}) \([0-9]+\)",
        Form.NAMED: r"\w+ \([0-9]+\)",
        Form.SYSTEM_REGISTER: "[0-9]+(?:,[0-9]+){4}",
    }[field.form]


def value_of(field: Field, text: str) -> int | str | bool | None:
    if field.form == Form.TEXT:
        return text
    if field.form == Form.WORD:
        value = field.words[text]
    elif field.form == Form.HEXADECIMAL:
        value = int(text, 16)
    elif field.form == Form.DECIMAL:
        value = int(text)
    elif field.form == Form.SYSTEM_REGISTER:
        parts = [int(part) for part in text.split(",")]
        if max(parts) >= 1 << 16:
            return None
        value = sum(p << s for p, s in zip(parts, (19, 16, 12, 8, 5), strict=True))
    elif field.form in (Form.NEGATED, Form.NAMED):
        value = int(text[text.index("(") + 1 : -1]) * (-1 if field.form == Form.NEGATED else 1)
    elif text in field.words:
        value = field.words[text]
    else:
        is_address = field.form == Form.POINTER and re.fullmatch("f[0-9a-f]{15}", text)
        if not is_address and not re.fullmatch("0x[0-9a-f]{1,16}", text):
            return None
        value = int(text, 16)
    signed = field.type.is_signed_integer()
    low, high = (-(1 << field.bits - 1), 1 << field.bits - 1) if signed else (0, 1 << field.bits)
    if not low <= value < high:
        return None
    return bool(value) if field.type == pl.Boolean else value


def read_by_pattern(format_: PrintFormat, text: str) -> dict | None:
    """The fields that the text prints; None where it isn't of the format."""
    pattern = NOISE
    for part in filter(None, PART.split(format_.template)):
        name = part[1:-1]
        if part in ("{?", "?}"):
            pattern += "(?:" if part == "{?" else ")?"
        elif part == "{}":
            pattern += ".*?"
        elif part.startswith("{"):
            pattern += f"(?P<{name}>{pattern_of(format_.fields[name])})"
        else:
            pattern += re.escape(part).replace(r"\ ", " +")
    match = re.fullmatch(pattern + END, text, re.ASCII)
    if match is None:
        return None
    found = {k: v.strip() if format_.fields[k].form != Form.TEXT else v for k, v in match.groupdict().items() if v is not None}  # fmt: skip
    return {name: value_of(format_.fields[name], text) for name, text in found.items()}
