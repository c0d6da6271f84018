"""The inputs, and the options for what they can't say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spetrace.cli.arguments import parse_size
from spetrace.cli.choices import Placement, Stage2From
from spetrace.errors import UsageError

SESSION_PANEL = "What the files can't say"

_FILES = typer.Argument(
    metavar="FILE...",
    help="Recordings or event logs in any mix: perf.data, trace.dat, ftrace, trace-cmd or perf "
    "text, .jsonl, .parquet, .arrow; - for stdin. The content decides the format.",
)
Files = Annotated[list[Path], _FILES]
OptionalFiles = Annotated[list[Path] | None, _FILES]
RawSpe = Annotated[
    list[Path] | None,
    typer.Option(
        "--raw-spe",
        metavar="FILE",
        help="Also take this file, of bare SPE bytes (a dumped buffer, WindowsPerf's spe.data); "
        "may be repeated. Nothing in it tells of clocks and CPUs.",
    ),
]


def _option(text: str, *flags: str, **more: Any) -> Any:
    """An option of this panel with its sentence of help."""
    return typer.Option(*flags, help=text, rich_help_panel=SESSION_PANEL, **more)


AssumeSpe = Annotated[
    str | None,
    _option(
        "Run an assumed SPE load on the recorded vCPUs, for captures without SPE data: a "
        "record of record_bytes (64) each period_ns (1000) of guest time into a buffer of "
        "buffer_bytes (1M).",
        metavar="[KEY=N,...]",
    ),
]
SessionToml = Annotated[
    Path | None,
    _option(
        "session.toml: RAM, memslots, clocks, which recording belongs to which VM. Flags win "
        "over it.",
        "--session",
        metavar="FILE",
    ),
]
VmmMaps = Annotated[
    Path | None,
    _option(
        "/proc/PID/maps of the VMM: its mapping of --ram-bytes holds the guest's RAM, which "
        "begins at --ram-base.",
        metavar="FILE",
    ),
]
RamBase = Annotated[
    int | None,
    _option(
        "With --vmm-maps: where the guest's RAM begins.",
        parser=parse_size,
        metavar="IPA",
    ),
]
RamBytes = Annotated[
    int | None,
    _option(
        "With --vmm-maps: how much RAM the guest has.",
        parser=parse_size,
        metavar="SIZE",
    ),
]
ClockOffset = Annotated[
    int | None,
    _option(
        "Add to the SPE recording's times to get the host's (0: one clock). Without it the "
        "first SPE record is laid on the first kvm_entry.",
        metavar="NS",
    ),
]
Stage2Source = Annotated[
    Stage2From | None,
    _option(
        "Take stage 2 from these, even where the others would be preferred (probes first).",
        "--stage2-from",
    ),
]
InferReadOnly = Annotated[
    bool,
    _option(
        "Where stage 2 is told from tracepoints: take mappings for read-only where later faults "
        "show it. Without it all are writable.",
        "--infer-read-only",
    ),
]
AuxBytes = Annotated[
    int | None,
    _option(
        "Size of the AUX area, where the recording's command line doesn't tell (4M).",
        parser=parse_size,
        metavar="SIZE",
    ),
]
PlacementOption = Annotated[
    Placement | None,
    _option(
        "Where the buffer lies in the guest's RAM: at its top in one piece (the default), or "
        "page by page at random places.",
        "--placement",
    ),
]
PlacementSeed = Annotated[
    int | None,
    _option(
        "Seed of --placement scattered: the same seed gives the same places.",
        metavar="N",
        min=0,
    ),
]
NoBufferTouched = Annotated[
    bool,
    _option(
        "The guest has not touched its buffer, so stage 2 does not map it at first. Linux "
        "zeroes it when it allocates it, which is the default here.",
        "--no-buffer-touched",
    ),
]
EventMap = Annotated[
    Path | None,
    _option(
        "Map events of your own (an instrumented KVM, probes of other names) to the event log by "
        "this TOML file: spetrace replay host.dat --event-map map.toml. See the README.",
        "--event-map",
        metavar="FILE",
    ),
]


def some_inputs(files: list[Path] | None, raw_spe: list[Path] | None) -> list[Path]:
    """The FILEs, which may be none where --raw-spe gives the input.

    Raises UsageError where there is no input at all.
    """
    if not files and not raw_spe:
        raise UsageError("no input: give a FILE, or --raw-spe FILE")
    return files or []
