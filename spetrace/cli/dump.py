"""`spetrace dump`: SPE packets as text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli.arguments import parse_size
from spetrace.cli.console import show
from spetrace.errors import InputError, NothingToReplayError, UsageError

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A perf.data file, or SPE bytes with --raw-spe.")
]
RawSpe = Annotated[
    bool, typer.Option("--raw-spe", help="FILE holds bare SPE bytes, without a container.")
]
Cpu = Annotated[int | None, typer.Option("--cpu", metavar="N", min=0, help="Only this CPU's.")]
Offset = Annotated[
    int,
    typer.Option(
        parser=parse_size,
        metavar="OFFSET",
        help="Begin at the byte of this offset, as the dump prints it (in hex: 0x…).",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=0, help="End after N lines.")
]
Headers = Annotated[
    bool,
    typer.Option(
        "--headers/--no-headers",
        help="Name each AUX stream before its packets, and print offsets in the AUX area (column "
        "aux_offset of spe_records) instead of places in the whole dump.",
    ),
]


def dump(
    file: File,
    raw_spe: RawSpe = False,
    cpu: Cpu = None,
    offset: Offset = 0,
    limit: Limit = None,
    headers: Headers = False,
) -> None:
    """Print the SPE packets of a recording as perf report -D does, CPU after CPU.

    One line per packet: offset, bytes, text in the words of perf 7.3. Runs
    of padding share lines; a byte that begins no packet is a Bad packet!

    [bold]Examples[/bold]

    spetrace dump guest.perf.data --limit 20

    spetrace dump guest.perf.data --cpu 1 --headers --offset 0x3500

    spetrace dump --raw-spe buffer.bin
    """
    from spetrace.ingest.importer import map_file, read_recording
    from spetrace.ingest.spe.dump import raw_stream, recorded_streams, render_dump

    if raw_spe and cpu is not None:
        raise UsageError("--cpu: bare SPE bytes (--raw-spe) are of no CPU")
    try:
        streams = (
            [raw_stream(map_file(file))]
            if raw_spe
            else recorded_streams(read_recording(file).spe, cpu)
        )
    except InputError as error:
        raise error.in_file(str(file)) from error
    except NothingToReplayError as error:
        raise NothingToReplayError(f"{file}: {error}") from error
    for text in render_dump(streams, headers=headers, offset=offset, limit=limit):
        show(text)
