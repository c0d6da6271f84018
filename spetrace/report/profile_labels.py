"""What places in code, threads and data sources are called in a profile."""

from __future__ import annotations

from typing import Any

from spetrace.report.wording import printable

NOT_RECORDED = "not recorded"


def file_name(path: str | None) -> str:
    """The last part of a path; a name in brackets as it is."""
    if not path:
        return ""
    return printable(path if path.startswith("[") else path.rstrip("/").rpartition("/")[2] or path)


def pc_label(row: dict[str, Any]) -> str:
    """Function and place in it; else file and place in it; else the address."""
    if row["symbol"] is not None:
        return f"{printable(row['symbol'])}+{row['symbol_offset']:#x}"
    if row["file"] is not None:
        return f"unknown in {file_name(row['file'])}+{row['file_offset']:#x}"
    return f"unknown at {row['pc']:#x}" if row["pc"] is not None else "unknown: no PC recorded"


def function_label(row: dict[str, Any]) -> str:
    """The function; else the file that it is in."""
    if row["symbol"] is not None:
        return printable(row["symbol"])
    return f"unknown in {file_name(row['file'])}" if row["file"] is not None else "unknown"


def owner_label(row: dict[str, Any]) -> str:
    """The process of a page or PC."""
    return "" if row["pid"] is None else str(row["pid"])


def stream_label(row: dict[str, Any], several_sources: bool) -> str:
    """The CPU or thread of an AUX stream."""
    if row["cpu"] is not None:
        name = f"CPU {row['cpu']}"
    else:
        name = "all" if row["tid"] is None else f"thread {row['tid']}"
    return f"{name} of input {row['source']}" if several_sources else name


def source_label(name: str | None) -> str:
    """A data source."""
    return NOT_RECORDED if name is None else printable(name)
