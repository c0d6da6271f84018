"""`spetrace info`: what recordings hold."""

from __future__ import annotations

from typing import Annotated

import typer

from spetrace.cli.choices import TextFormat
from spetrace.cli.console import progress, show, show_json, text_width
from spetrace.cli.session_options import OptionalFiles, RawSpe, some_inputs

Format = Annotated[TextFormat, typer.Option("--format", help="Text for people or JSON.")]


def info(
    files: OptionalFiles = None, raw_spe: RawSpe = None, format_: Format = TextFormat.TEXT
) -> None:
    """Say what recordings hold: format, clock, CPUs, span, events, SPE streams, and what they lost.

    JSON is a list with one object per FILE.

    [bold]Example[/bold]

    spetrace info guest.perf.data host.dat
    """
    from spetrace.workflow.inventory import render_inventory, take_inventory
    from spetrace.workflow.pipeline import read_all

    inputs = some_inputs(files, raw_spe)
    with progress() as step:
        recordings = read_all(inputs, step, raw_spe=raw_spe or ())
        inventories = [take_inventory(recording) for recording in recordings]
    if format_ is TextFormat.JSON:
        show_json(inventories)
    else:
        show("\n".join(render_inventory(facts, text_width()) for facts in inventories))
