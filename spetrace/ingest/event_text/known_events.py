"""The fields of events whose print format is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text.chunks import Bytes, Places
from spetrace.ingest.event_text.columns import COMMON, column
from spetrace.ingest.event_text.field import Field, Form
from spetrace.ingest.event_text.print_format import PrintFormat, column_name
from spetrace.ingest.event_text.print_kernel import read_texts
from spetrace.ingest.event_text.strings import string_series
from spetrace.ingest.event_text.value_kernel import read_lists

_LOW = np.uint64(0xFFFFFFFF)


def read_fields(
    data: Bytes, starts: Places, ends: Places, format_: PrintFormat
) -> tuple[list[pl.Series], npt.NDArray[np.bool_]]:
    """The fields of the texts data[start:end], and which texts fit the format (others: null).

    Texts of the form name=value ... with any of the fields fit too.
    """
    count, program = len(starts), format_.program
    values = np.zeros((count, len(format_.fields)), np.uint64)
    valid = np.zeros(values.shape, np.bool_)
    fits = np.zeros(count, np.bool_)
    read_texts(
        data, starts, ends, program.steps, program.words, program.fields, program.texts,
        values, valid, fits,
    )  # fmt: skip
    if not fits.all():
        rest = np.flatnonzero(~fits)
        values[rest], valid[rest] = _listed(data, starts[rest], ends[rest], format_)
        fits[rest] = valid[rest].any(axis=1)
    fields = format_.fields.items()
    series = [
        _series(data, values[:, i], valid[:, i], field).alias(column_name(name, COMMON))
        for i, (name, field) in enumerate(fields)
    ]
    return series, fits


def _listed(
    data: Bytes, starts: Places, ends: Places, format_: PrintFormat
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    program = format_.program
    values = np.zeros((len(starts), len(format_.fields)), np.uint64)
    valid = np.zeros(values.shape, np.bool_)
    read_lists(data, starts, ends, program.fields, program.texts, values, valid)
    return values, valid


def _series(
    data: Bytes, values: npt.NDArray[np.uint64], valid: npt.NDArray[np.bool_], field: Field
) -> pl.Series:
    if field.form != Form.TEXT:
        return column(values, valid, field.type)
    starts = (values >> np.uint64(32)).astype(np.int64)
    ends = np.where(valid, (values & _LOW).astype(np.int64), -1)
    return string_series(data, starts, ends)
