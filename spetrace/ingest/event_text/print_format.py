"""An event's text as the columns of its fields, by a template of what the kernel prints."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

import polars as pl

from spetrace.ingest.event_text.field import Field

_NOISE = r"^(?:CAN'T FIND FIELD \"\w+\"|<CANT FIND FIELD \w+>)* *"
_HOLE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class PrintFormat:
    """A tracepoint's fields in their order, and the pattern of its text, with a group for each."""

    pattern: str
    fields: dict[str, Field]


def print_format(template: str, **fields: Field) -> PrintFormat:
    """The format whose text is `template`: {name} stands for a field, {} for anything, and what
    stands between {? and ?} may be missing.

    trace-cmd's x86 plug-in writes complaints before the text of arm64's events; they are skipped.
    """
    parts = _HOLE.split(template)
    pattern = _NOISE + _literal(parts[0])
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        pattern += f"(?P<{name}>{fields[name].pattern})" if name else ".*?"
        pattern += _literal(literal)
    return PrintFormat(pattern + r"\s*$", fields)


def read_fields(events: pl.DataFrame, format_: PrintFormat) -> pl.DataFrame:
    """`events` with the format's fields in place of `text`; those whose text doesn't fit left out.

    Texts of the form name=value ... fit too.
    """
    fits = events["text"].str.contains(format_.pattern)
    printed = _printed(events.filter(fits), format_)
    if fits.all():
        return printed
    return pl.concat([printed, _listed(events.filter(~fits), format_)]).sort("index")


def _printed(events: pl.DataFrame, format_: PrintFormat) -> pl.DataFrame:
    groups = events["text"].str.extract_groups(format_.pattern).struct.unnest()
    fields = groups.select(
        (field.read(pl.col(name)) if name in groups.columns else pl.lit(None))
        .cast(field.type)
        .alias(column_name(name, events.columns))
        for name, field in format_.fields.items()
    )
    return pl.concat([events.drop("text"), fields], how="horizontal")


def _listed(events: pl.DataFrame, format_: PrintFormat) -> pl.DataFrame:
    """The events whose text is a list of name=value with any of the fields."""
    fields = events.select(
        field.raw_read(pl.col("text").str.extract(rf"(?:^|[ \]]){name}={field.raw_pattern}"))
        .cast(field.type)
        .alias(column_name(name, events.columns))
        for name, field in format_.fields.items()
    )
    listed = fields.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return pl.concat([events.drop("text"), fields], how="horizontal").filter(listed)


def column_name(field: str, taken: Container[str]) -> str:
    """The column of a field: its own name, with "_f" behind it where a column has that already."""
    while field in taken:
        field += "_f"
    return field


def _literal(text: str) -> str:
    text = re.escape(text).replace(r"\ ", " +")
    return text.replace(r"\{\?", "(?:").replace(r"\?\}", ")?")
