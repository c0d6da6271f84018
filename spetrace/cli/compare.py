"""`spetrace compare`: two results folders side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spetrace.cli.choices import ReportFormat
from spetrace.cli.console import show, show_drawn
from spetrace.errors import ConditionError

if TYPE_CHECKING:
    from spetrace.report.run_difference import RunDifference
    from spetrace.report.run_difference_conditions import Failure

A = Annotated[Path, typer.Argument(metavar="A", help="A folder that spetrace replay -o wrote.")]
B = Annotated[Path, typer.Argument(metavar="B", help="Another one; differences are B - A.")]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="CONDITION",
        help="Exit with 1 if the difference B - A is so, for any strategy or the one named: "
        "'captured<-1%' (of A), 'pin-vm:overhead_ns>+2ms', 'pinned_bytes_peak>64K'. May be <, <=, "
        ">, >=, == or !=, and be repeated. spetrace schema results lists the counters.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write compare.html, compare.json and compare.txt here.",
    ),
]
Format = Annotated[
    ReportFormat,
    typer.Option("--format", help="What to print: a table for the terminal, JSON, or mail text."),
]


def compare(
    a: A,
    b: B,
    fail_if: FailIf = None,
    output: Output = None,
    format_: Format = ReportFormat.TABLE,
) -> None:
    """Show two results side by side: what they rest on, and per strategy the counters of both.

    The same capture with other parameters, or other captures. Tables and text
    show what differs; JSON has every counter. From a counter that is 0 in A,
    any growth is more than any percentage. With --fail-if the exit code is 1
    where a condition holds, and stderr names it with the strategies.

    [bold]Examples[/bold]

    spetrace compare before after

    spetrace compare before after --fail-if 'captured<-1%'

    spetrace compare before after --fail-if 'map-on-fault:blackout_ns>+2ms'
    """
    from spetrace.report.parquet import load_run
    from spetrace.report.run_difference import differ
    from spetrace.report.run_difference_conditions import (
        failure_sentence,
        failures,
        parse_condition,
    )

    conditions = [parse_condition(text) for text in fail_if or ()]
    before, after = (load_run(folder, outcomes=False) for folder in (a, b))
    difference = differ(before, after, (str(a), str(b)))
    failed = failures(conditions, difference)
    if output is not None:
        _save(difference, failed, output)
    _show_difference(difference, failed, format_)
    if failed:
        raise ConditionError(failure_sentence(failed))


def _save(difference: RunDifference, failed: Sequence[Failure], output: Path) -> None:
    from spetrace.report.run_difference_files import save_difference
    from spetrace.workflow.output_folder import output_folder

    with output_folder(output) as folder:
        save_difference(difference, failed, folder)


def _show_difference(
    difference: RunDifference, failed: Sequence[Failure], format_: ReportFormat
) -> None:
    from spetrace.report.run_difference_json import render_difference_json
    from spetrace.report.run_difference_terminal import render_difference
    from spetrace.report.run_difference_text import render_difference_text

    if format_ is ReportFormat.JSON:
        show(render_difference_json(difference, failed))
    elif format_ is ReportFormat.TEXT:
        show(render_difference_text(difference, failed))
    else:
        show_drawn(render_difference(difference, failed))
