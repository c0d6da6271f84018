"""`spetrace align`: the offset between a guest's clock and its host's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli.console import progress, show

Host = Annotated[
    Path, typer.Argument(metavar="HOST", help="The host's recording, with kvm_entry and kvm_exit.")
]
Guests = Annotated[
    list[Path],
    typer.Argument(
        metavar="GUEST...",
        help="What the guest recorded meanwhile, on one clock: tracepoints of any kind, SPE data.",
    ),
]
CounterHz = Annotated[
    int | None,
    typer.Option(
        metavar="HZ",
        min=1,
        max=9_000_000_000,
        help="Rate of a clock that counts ticks (-C counter). Without it the TIME_CONV of a "
        "guest's perf.data tells, and else it is 1 GHz.",
    ),
]
VmNumber = Annotated[
    int | None,
    typer.Option("--vm", metavar="N", min=0, help="Which VM, where the host recorded several."),
]
Write = Annotated[
    Path | None,
    typer.Option(
        "--write",
        metavar="FILE",
        help="Set clock_offset_ns in this session.toml (made where it is missing), in the VM's [\\[vm]] "
        "where the host recorded several; the rest of it stays as it is.",
    ),
]


def align(
    host: Host,
    guest: Guests,
    counter_hz: CounterHz = None,
    vm: VmNumber = None,
    write: Write = None,
) -> None:
    """Propose the offset between a guest's clock and its host's, and how sure it is.

    What the guest recorded happened between a kvm_entry and a kvm_exit of its
    vCPU. The offset is the one by which most of the guest's events do, with
    the range in which that is so. Guest CPU n is vCPU n. The output is TOML.

    [bold]Examples[/bold]

    spetrace align host.dat guest.perf.data

    spetrace align host.dat guest.dat --counter-hz 62500000 --write session.toml

    spetrace replay guest.perf.data host.dat --session session.toml
    """
    from spetrace.workflow.alignment import (
        align_files,
        check_proposal,
        render_proposal,
        write_offset,
    )

    with progress() as step:
        proposal = align_files(host, guest, counter_hz, vm, step, session_toml=write)
    show(render_proposal(proposal))
    check_proposal(proposal)
    if write is not None:
        write_offset(write, proposal)
