"""`spetrace ingest`: recordings to a folder of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli import model_options as model
from spetrace.cli import session_options as said
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


def ingest(
    output: Output,
    files: said.OptionalFiles = None,
    raw_spe: said.RawSpe = None,
    explain: Explain = False,
    assume_spe: said.AssumeSpe = None,
    session: said.SessionToml = None,
    vmm_maps: said.VmmMaps = None,
    ram_base: said.RamBase = None,
    ram_bytes: said.RamBytes = None,
    clock_offset: said.ClockOffset = None,
    stage2_from: said.Stage2Source = None,
    infer_read_only: said.InferReadOnly = False,
    aux_bytes: said.AuxBytes = None,
    placement: said.PlacementOption = None,
    placement_seed: said.PlacementSeed = None,
    no_buffer_touched: said.NoBufferTouched = False,
    event_map: said.EventMap = None,
    page_size: model.PageSize = None,
    memory_bytes: model.MemoryBytes = None,
    initial_stage2: model.InitialStage2Option = None,
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

    options = said.session_options(locals())
    inputs = said.some_inputs(files, raw_spe)
    with progress() as step:
        rows = ingest_files(inputs, output, options, step, raw_spe=raw_spe or (), explained=explain)
    show("\n".join(f"{output / name}: {count:,} rows" for name, count in rows.items()))
