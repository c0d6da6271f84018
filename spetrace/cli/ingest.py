"""`spetrace ingest`: recordings to a folder of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli import session_options as said
from spetrace.cli.assumptions import SESSION, Assumptions, assuming
from spetrace.cli.console import progress, show

Output = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="DIR", help="The session folder to write."),
]

Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Add columns to spe_records that say in words what its codes mean: operation, events, "
        "data source, memory level, hit or miss, and the thread by its context.",
    ),
]


@assuming(*SESSION, "page_size", "memory_bytes", "initial_stage2")
def ingest(
    output: Output,
    files: said.OptionalFiles = None,
    raw_spe: said.RawSpe = None,
    explain: Explain = False,
    *,
    assumed: Assumptions,
) -> None:
    """Turn recordings into Parquet tables: SPE records, AUX records, tracepoints, exits, faults.

    Where they hold what a replay needs, the merged event log is among them,
    and spetrace replay takes the folder as input. spetrace schema prints the
    tables' columns.

    [bold]Examples[/bold]

    spetrace ingest guest.perf.data -o session

    spetrace ingest guest.perf.data host.dat --clock-offset 0 -o session

    perf record -e arm_spe// -o - ... | spetrace ingest - -o session
    """
    from spetrace.workflow.pipeline import ingest_files

    inputs = said.some_inputs(files, raw_spe)
    with progress() as step:
        rows = ingest_files(
            inputs, output, assumed.options, step, raw_spe=raw_spe or (), explained=explain
        )
    show("\n".join(f"{output / name}: {count:,} rows" for name, count in rows.items()))
