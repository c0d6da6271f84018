"""`spetrace costs`: what exits, faults and traps of a recorded host took, as TOML."""

from __future__ import annotations

from spetrace.cli import session_options as said
from spetrace.cli.assumptions import Assumptions, assuming
from spetrace.cli.console import progress, show


@assuming("session", "page_size")
def costs(
    files: said.Files,
    *,
    assumed: Assumptions,
) -> None:
    """Measure the costs that a host's recording tells, and print them as TOML.

    Medians of the time from kvm_exit to the next kvm_entry, with n, p50, p90
    and p99: vm_exit_ns of the cheapest kind of exit, map_page_ns of data
    aborts that map a page (less vm_exit_ns), sysreg_trap_ns of trapped system
    registers. The other costs are comments with their defaults. The file can
    be edited, and serves other recordings: spetrace replay ... --costs FILE.

    [bold]Example[/bold]

    spetrace costs host.dat > costs.toml

    spetrace replay guest.perf.data --costs costs.toml
    """
    from spetrace.report.wording import printable
    from spetrace.session.costs_toml import render_costs
    from spetrace.workflow.pipeline import measure_files

    with progress() as step:
        measured = measure_files(files, assumed.options, step)
    show(render_costs(measured, printable(", ".join(map(str, files)))))
