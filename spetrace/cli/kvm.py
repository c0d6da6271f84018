"""`spetrace kvm`: what KVM did for each VM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spetrace.cli.assumptions import HOST, Assumptions, assuming
from spetrace.cli.choices import KvmFormat
from spetrace.cli.console import progress, show, show_drawn

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


@assuming(*HOST, "page_size", "initial_stage2")
def kvm(
    inputs: Inputs,
    output: Output = None,
    format_: Format = KvmFormat.TABLE,
    check_inference: CheckInference = False,
    *,
    assumed: Assumptions,
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

    with progress() as step:
        summary = analyse_kvm(inputs, assumed.options, output, step, check=check_inference)
    _show_summary(summary, format_)


def _show_summary(summary: KvmSummary, format_: KvmFormat) -> None:
    from spetrace.report.kvm_json import render_kvm_json
    from spetrace.report.kvm_terminal import render_kvm
    from spetrace.report.kvm_view import view_kvm

    if format_ is KvmFormat.JSON:
        show(render_kvm_json(summary))
    else:
        show_drawn(render_kvm(view_kvm(summary)))
