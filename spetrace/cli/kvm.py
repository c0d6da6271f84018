"""`spetrace kvm`: what KVM did for each VM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spetrace.cli import model_options as model
from spetrace.cli import session_options as said
from spetrace.cli.choices import KvmFormat
from spetrace.cli.console import progress, show

if TYPE_CHECKING:
    from spetrace.tables.kvm_summary import KvmSummary

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR_OR_FILE...",
        help="A folder that spetrace ingest wrote, or recordings of a host with KVM's events.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write kvm.html and kvm.json here. Without it nothing is written.",
    ),
]
Format = Annotated[
    KvmFormat, typer.Option("--format", help="What to print: tables for the terminal, or kvm.json.")
]
CheckInference = Annotated[
    bool,
    typer.Option(
        "--check-inference",
        help="Compare stage 2 by tracepoints with stage 2 by probes, where both were recorded: "
        "mapped pages over time, and the counters of replays with an assumed SPE load "
        "(--assume-spe; period_ns=50000).",
    ),
]
_NOT_ASKED = dict.fromkeys(("clock_offset", "aux_bytes", "placement", "placement_seed"))


def kvm(
    inputs: Inputs,
    output: Output = None,
    format_: Format = KvmFormat.TABLE,
    check_inference: CheckInference = False,
    assume_spe: said.AssumeSpe = None,
    session: said.SessionToml = None,
    vmm_maps: said.VmmMaps = None,
    ram_base: said.RamBase = None,
    ram_bytes: said.RamBytes = None,
    stage2_from: said.Stage2Source = None,
    infer_read_only: said.InferReadOnly = False,
    event_map: said.EventMap = None,
    page_size: model.PageSize = None,
    initial_stage2: model.InitialStage2Option = None,
) -> None:
    """Show exits by class, time in guest and host, stage-2 faults, refaults and mapped pages.

    Each VM by itself, with the SPE registers that it touched. What the
    recording lost and what was assumed come first.

    [bold]Examples[/bold]

    spetrace kvm host.dat

    spetrace kvm session -o kvm

    spetrace kvm host.dat --check-inference --format json
    """
    from spetrace.workflow.kvm_analysis import analyse_kvm

    options = said.session_options(_NOT_ASKED | {"no_buffer_touched": False} | locals())
    with progress() as step:
        summary = analyse_kvm(inputs, options, output, step, check=check_inference)
    _show_summary(summary, format_)


def _show_summary(summary: KvmSummary, format_: KvmFormat) -> None:
    from rich.console import Console

    from spetrace.report.kvm_json import render_kvm_json
    from spetrace.report.kvm_terminal import render_kvm
    from spetrace.report.kvm_view import view_kvm

    if format_ is KvmFormat.JSON:
        show(render_kvm_json(summary))
    else:
        console = Console()
        with console.capture() as drawn:
            console.print(render_kvm(view_kvm(summary)))
        show("\n".join(line.rstrip() for line in drawn.get().splitlines()))
