"""`spetrace info`: what recordings hold."""

from __future__ import annotations

from typing import Annotated

import typer

from spetrace.cli.choices import TextFormat
from spetrace.cli.console import progress, show, show_json
from spetrace.cli.session_options import Files

Format = Annotated[TextFormat, typer.Option("--format", help="Text for people or JSON.")]


def info(files: Files, format_: Format = TextFormat.TEXT) -> None:
    """Say what recordings hold: format, clock, CPUs, span, events, SPE streams, and what they lost.

    JSON is a list with one object per FILE.

    [bold]Example[/bold]

    spetrace info guest.perf.data host.dat
    """
    from spetrace.ingest.importer import read_recording
    from spetrace.inventory import render_inventory, take_inventory

    inventories = []
    with progress() as step:
        for file in files:
            step(f"reading {file.name}")
            inventories.append(take_inventory(read_recording(file)))
    if format_ is TextFormat.JSON:
        show_json(inventories)
    else:
        show("\n".join(map(render_inventory, inventories)))
