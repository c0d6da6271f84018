"""An event log as JSON Lines: an optional session line, then one event a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.errors import InputError
from spetrace.ingest.event_log.columns import FRAME, checked
from spetrace.ingest.event_log.event import EventError, read_event
from spetrace.ingest.event_log.fields import page_size_of
from spetrace.ingest.event_log.json_kernel import lex_lines
from spetrace.tables.events import EVENTS

BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 4 << 20
_LINE_BYTES = 16 << 20
_BLANK = b" \t\r\n"


class _Chunk(NamedTuple):
    """Whole lines of a file, and the number of the first (from 1)."""

    data: bytes
    line: int


def read_json_lines(data: memoryview) -> tuple[dict[str, Any], Iterator[pa.Table]]:
    """The session line's parameters and the events, chunk by chunk, as table events.

    Raises InputError with the line of whatever is not as it should be.
    """
    chunks = _chunks(data)
    first = next(chunks, _Chunk(b"", 1))
    parameters, first = _session_line(first)
    page_size = page_size_of(parameters)

    def tables() -> Iterator[pa.Table]:
        """The events of each piece; the first one has lost its session line."""
        yield _events(first, page_size)
        for chunk in chunks:
            yield _events(chunk, page_size)

    return parameters, tables()


def _chunks(data: memoryview) -> Iterator[_Chunk]:
    start = len(BOM) if data[: len(BOM)] == BOM else 0
    line, size = 1, _CHUNK_BYTES
    while start < len(data):
        chunk = bytes(data[start : start + size])
        if start + size < len(data):
            chunk = chunk[: chunk.rfind(b"\n") + 1]
        if chunk:
            yield _Chunk(chunk, line)
            start += len(chunk)
            line += chunk.count(b"\n")
            size = _CHUNK_BYTES
        elif size < _LINE_BYTES:
            size = _LINE_BYTES
        else:
            _fail(f"is longer than {_LINE_BYTES >> 20} MiB", line)


def _session_line(chunk: _Chunk) -> tuple[dict[str, Any], _Chunk]:
    """The parameters of a session line that begins the chunk, and the chunk without it."""
    text = chunk.data.lstrip(_BLANK)
    number = chunk.line + chunk.data.count(b"\n", 0, len(chunk.data) - len(text))
    line, _, rest = text.partition(b"\n")
    if not line:
        return {}, chunk
    event = _parse_line(line, number)
    if not isinstance(event, dict) or event.get("kind") != "session":
        return {}, chunk
    return {k: v for k, v in event.items() if k != "kind"}, _Chunk(rest, number + 1)


def _events(chunk: _Chunk, page_size: int) -> pa.Table:
    lines = lex_lines(np.frombuffer(chunk.data, np.uint8))

    def read(row: int) -> dict[str, Any]:
        """One line's event, read slowly: what the kernel did not take."""
        number = chunk.line + int(lines["numbers"][row])
        event = _parse_line(chunk.data[lines["starts"][row] : lines["ends"][row]], number)
        try:
            return read_event(event, page_size)
        except EventError as error:
            _fail(str(error), number)

    return checked(_frame(lines), pl.Series(lines["odd"]), page_size, read)


def _frame(lines: dict[str, npt.NDArray[Any]]) -> pl.DataFrame:
    columns = {}
    for i, name in enumerate(EVENTS.names):
        absent = lines["present"] >> i & 1 == 0
        values = np.ascontiguousarray(lines["values"][:, i])
        if name == "tables":
            columns[name] = _lists(np.where(absent, 0, values), lines["tables"], absent)
        else:
            columns[name] = pa.array(_typed(values, FRAME[name]), mask=absent)
    return pl.DataFrame(pl.from_arrow(pa.table(columns)), schema=FRAME)


def _typed(values: npt.NDArray[np.uint64], type_: pl.DataType) -> npt.NDArray[Any]:
    if type_ == pl.Int64:
        return values.view(np.int64)
    if type_ == pl.UInt64:
        return values
    return values.astype(np.bool_ if type_ == pl.Boolean else np.uint8)


def _lists(
    counts: npt.NDArray[np.uint64], elements: npt.NDArray[Any], absent: npt.NDArray[np.bool_]
) -> pa.Array:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(offsets, pa.array(elements), mask=pa.array(absent))


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _parse_line(line: bytes, number: int) -> Any:
    try:
        return _DECODER.decode(line.decode().strip())
    except json.JSONDecodeError as error:
        _fail(f"is not JSON: {error.msg} (column {error.colno})", number)
    except UnicodeDecodeError as error:
        _fail(f"is not UTF-8 from byte {error.start} of the line on", number)
    except RecursionError:
        _fail("is nested too deeply", number)
    except ValueError as error:
        _fail(f"is not JSON: {error}", number)


def _fail(cause: str, line: int) -> NoReturn:
    raise InputError("event log", cause, line=line)
