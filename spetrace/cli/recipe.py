"""`spetrace recipe`: how to record what a replay needs."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli.console import show

Guest = Annotated[
    bool, typer.Option("--guest", help="Only the part for the guest (or bare metal): SPE data.")
]
Host = Annotated[
    bool, typer.Option("--host", help="Only the part for the host: what KVM does at stage 2.")
]
Kallsyms = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Say what the kernel lacks whose /proc/kallsyms was saved here. On an arm64 host its "
        "own is read.",
    ),
]
_OWN_KALLSYMS = Path("/proc/kallsyms")


def recipe(guest: Guest = False, host: Host = False, kallsyms: Kallsyms = None) -> None:
    """Print the commands that record what a replay needs, for the guest and the host.

    Run it on the host: it leaves out the probes that the running kernel lacks,
    and says what that costs.

    [bold]Example[/bold]

    spetrace recipe --host > record-host.sh
    """
    from spetrace.workflow.recipe import parse_kallsyms, render_recipe

    if kallsyms is None and platform.machine() == "aarch64" and _OWN_KALLSYMS.exists():
        kallsyms = _OWN_KALLSYMS
    symbols = parse_kallsyms(kallsyms.read_text(errors="replace")) if kallsyms else None
    both = guest == host
    show(render_recipe(guest=guest or both, host=host or both, symbols=symbols))
