"""`spetrace export`: a session and its replays as a trace for a viewer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from spetrace.cli.arguments import Unlimited
from spetrace.cli.assumptions import HOST, Assumptions, assuming
from spetrace.cli.console import progress, show

if TYPE_CHECKING:
    from spetrace.workflow.perfetto_export import Exported

_TIME = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,9}))?(ns|us|ms|s)?")
_UNITS = {"ns": 0, "us": 3, "ms": 6, "s": 9}


def parse_time(text: str | int) -> int:
    """Nanoseconds: an integer, or a number with ns, us, ms or s. Raises typer.BadParameter."""
    match = _TIME.fullmatch(str(text))
    digits = _UNITS[(match[3] or "ns")] if match else 0
    if not match or len(match[2] or "") > digits:
        raise typer.BadParameter(f"{text!r} is no time: write 1500000, 12.5s, 300ms, 40us or 5ns")
    return int(match[1] + (match[2] or "").ljust(digits, "0"))


def parse_limit(text: str | Unlimited | int) -> int | Unlimited:
    """A number above 0, or `none`. Raises typer.BadParameter."""
    if isinstance(text, Unlimited) or str(text).lower() == "none":
        return Unlimited.NONE
    if not re.fullmatch("[0-9]{1,18}", str(text)) or not int(text):
        raise typer.BadParameter(f"{text!r} is no number above 0, nor none")
    return int(text)


Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR_OR_FILE...",
        help="A folder that spetrace ingest wrote, or recordings; and folders that spetrace replay "
        "wrote from the same. Either alone is fine.",
    ),
]
Perfetto = Annotated[
    Path,
    typer.Option(
        "--perfetto", metavar="FILE", help="The trace to write, for https://ui.perfetto.dev."
    ),
]
From = Annotated[
    int | None,
    typer.Option(
        "--from",
        metavar="TIME",
        parser=parse_time,
        help="Leave out what was before: ns since the first event, or with a unit (12.5s, 300ms).",
    ),
]
To = Annotated[
    int | None,
    typer.Option("--to", metavar="TIME", parser=parse_time, help="Leave out what was after."),
]
Limit = Annotated[
    str | None,
    typer.Option(
        metavar="N|none",
        parser=parse_limit,
        help="The most slices, instants and counter values (2000000). The densest tracks are cut, "
        "and the trace says where.",
    ),
]


@assuming(*HOST, "clock_offset", "page_size", "initial_stage2")
def export(
    inputs: Inputs,
    perfetto: Perfetto,
    from_: From = None,
    to: To = None,
    limit: Limit = None,
    *,
    assumed: Assumptions,
) -> None:
    """Write a trace that ui.perfetto.dev opens: guests, host, faults, and what each strategy did.

    Of a session: each vCPU in guest and in host, stage-2 faults, writes of
    SPE registers, buffer full events, AUX records, recording gaps. Of
    results: per strategy its blackouts, aborts and pinned memory.

    [bold]Examples[/bold]

    spetrace export host.dat --perfetto host.perfetto-trace

    spetrace export session results --perfetto both.perfetto-trace

    spetrace export session --from 12.5s --to 13s --limit none --perfetto part.perfetto-trace
    """
    from spetrace.workflow.perfetto_export import LIMIT, export_perfetto

    asked = cast("int | Unlimited | None", limit)
    most = LIMIT if asked is None else None if isinstance(asked, Unlimited) else asked
    with progress() as step:
        exported = export_perfetto(
            inputs, perfetto, assumed.options, step, limit=most, from_ns=from_, to_ns=to
        )
    show(_summary(perfetto, exported))


def _summary(path: Path, exported: Exported) -> str:
    from spetrace.report.units import render_size
    from spetrace.report.wording import count_of, printable

    written = exported.written
    size = render_size(written.size_bytes)
    lines = [
        f"{printable(path)}: {count_of(written.events, 'event')} on "
        f"{count_of(written.tracks, 'track')}, {size}",
        *(f"left out: {printable(sentence)}" for sentence in exported.left_out),
    ]
    return "\n".join(lines)
