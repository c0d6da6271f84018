"""`spetrace profile`: where the samples are, and what they waited for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spetrace.cli.choices import ProfileFormat, RankBy
from spetrace.cli.console import progress, show, show_drawn

if TYPE_CHECKING:
    from spetrace.tables.profile import Profile
    from spetrace.workflow.profiling import ProfileOptions

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR_OR_FILE...",
        help="A folder that spetrace ingest wrote, or perf.data files with SPE data.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write profile.html, profile.json and Parquet tables here. Without it nothing is "
        "written.",
    ),
]
Format = Annotated[
    ProfileFormat,
    typer.Option(
        "--format",
        help="What to print: tables for the terminal, profile.json, or (with -o) the names of the "
        "Parquet tables.",
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=1, max=100_000, help="Rows of each ranking.", metavar="N")
]
By = Annotated[
    RankBy | None,
    typer.Option(
        "--by",
        help="Show the ranking by this alone: functions, instructions, or data pages of 4 KiB by "
        "virtual or physical address. All but the last by default.",
    ),
]
Cpu = Annotated[
    int | None, typer.Option("--cpu", min=0, metavar="N", help="Only samples of this CPU.")
]
Source = Annotated[
    int | None,
    typer.Option("--source", min=0, metavar="N", help="Only samples of this input, from 0."),
]
KallsymsFile = Annotated[
    Path | None,
    typer.Option(
        "--kallsyms",
        metavar="FILE",
        help="Name the kernel's functions by this copy of /proc/kallsyms, saved as root on the "
        "recorded machine.",
    ),
]
Symfs = Annotated[
    Path | None,
    typer.Option(
        "--symfs",
        metavar="DIR",
        help="Look for the recorded programs and libraries below DIR in place of /.",
    ),
]


def profile(
    inputs: Inputs,
    output: Output = None,
    format_: Format = ProfileFormat.TABLE,
    top: Top = 20,
    by: By = None,
    cpu: Cpu = None,
    source: Source = None,
    kallsyms: KallsymsFile = None,
    symfs: Symfs = None,
) -> None:
    """Count samples by function, instruction, data page, latency, branch, TLB walk and CPU.

    Functions are named by the ELF files that the recording's mappings name,
    where their build ids agree, and the kernel's by --kallsyms; what has no
    name is shown as a place in its file. What the recording lost comes first.

    [bold]Examples[/bold]

    spetrace profile guest.perf.data

    spetrace profile session -o profile --kallsyms kallsyms.txt --symfs rootfs

    spetrace profile guest.perf.data --by page --top 50 --cpu 3
    """
    from spetrace.errors import UsageError
    from spetrace.workflow.profiling import profile_files

    if format_ is ProfileFormat.PARQUET and output is None:
        raise UsageError("--format parquet needs a folder to write to: -o DIR")
    options = _options(locals())
    with progress() as step:
        found = profile_files(inputs, options, output, step)
    _show_profile(found, options, format_, output)


def _options(given: dict[str, object]) -> ProfileOptions:
    from spetrace.report.profile_view import Ranking
    from spetrace.workflow.profiling import ProfileOptions

    by = given["by"]
    rankings = tuple(Ranking)
    if isinstance(by, RankBy):
        rankings = (Ranking.PAGE if by is RankBy.PHYSICAL_PAGE else Ranking(by.value),)
    names = ("top", "cpu", "source", "kallsyms", "symfs")
    return ProfileOptions(
        rankings=rankings,
        physical=by is RankBy.PHYSICAL_PAGE,
        **{name: given[name] for name in names},  # type: ignore[arg-type]
    )


def _show_profile(
    found: Profile, options: ProfileOptions, format_: ProfileFormat, output: Path | None
) -> None:
    from spetrace.report.profile_json import render_profile_json
    from spetrace.report.profile_terminal import render_profile
    from spetrace.report.profile_view import view_profile
    from spetrace.tables.profiles import PROFILE_TABLES

    if format_ is ProfileFormat.JSON:
        show(render_profile_json(found))
    elif format_ is ProfileFormat.PARQUET and output is not None:
        show("\n".join(str(output / f"{table.name}.parquet") for table in PROFILE_TABLES))
    else:
        show_drawn(render_profile(view_profile(found, options.top, options.rankings)))
