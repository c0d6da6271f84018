"""`spetrace replay`: one session under every strategy."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spetrace.cli import session_options as said
from spetrace.cli.assumptions import ALL, Assumptions, assuming
from spetrace.cli.choices import ReportFormat
from spetrace.cli.completion import complete_strategies
from spetrace.cli.console import progress, show, show_drawn

if TYPE_CHECKING:
    from spetrace.tables.run import Run

Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write results here: report.html, report.json, report.txt, Parquet tables and "
        "session.json. Without it nothing is written.",
    ),
]
StrategyNames = Annotated[
    str,
    typer.Option(
        "--strategy",
        metavar="NAME,...",
        autocompletion=complete_strategies,
        help="Strategies to replay, or all (see: spetrace strategies). The bounds bare-metal and "
        "inject-abort are always among them.",
    ),
]
StrategyFile = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE.py",
        help="Also replay the strategy classes in this Python file; may be repeated. The file is "
        "run as a program: use only what you trust.",
    ),
]
Format = Annotated[
    ReportFormat,
    typer.Option(
        "--format",
        help="What to print: a table for the terminal, report.json and nothing else, or text to "
        "mail.",
    ),
]
Outcomes = Annotated[
    bool,
    typer.Option("--outcomes", help="With -o: also write what became of each record."),
]
NoFidelity = Annotated[
    bool,
    typer.Option(
        "--no-fidelity",
        help="Don't compare the profile that survives each strategy with that of all records: it "
        "takes another pass over the SPE records, and a byte per record and strategy in temporary "
        "files.",
    ),
]


@assuming(*ALL)
def replay(
    files: said.Files,
    output: Output = None,
    strategy: StrategyNames = "all",
    strategy_file: StrategyFile = None,
    format_: Format = ReportFormat.TABLE,
    outcomes: Outcomes = False,
    no_fidelity: NoFidelity = False,
    *,
    assumed: Assumptions,
) -> None:
    """Replay one recorded session under every strategy, and compare what it would have cost.

    FILEs are put on one clock and merged; a folder that spetrace ingest wrote
    is taken as it is. Sizes take K, M and G. An option wins over session.toml.

    [bold]Examples[/bold]

    spetrace replay guest.perf.data host.dat -o results

    spetrace replay host.dat --assume-spe period_ns=5000 --costs measured
    """
    from spetrace.workflow.pipeline import replay_files

    asked = {"outcomes": outcomes, "fidelity": not no_fidelity}
    with progress() as step:
        run = replay_files(
            files,
            assumed.options,
            strategies=strategy,
            strategy_files=strategy_file or (),
            output=output,
            command=shlex.join(["spetrace", *sys.argv[1:]]),
            step=step,
            **asked,
        )
    _show_run(run, format_)


def _show_run(run: Run, format_: ReportFormat) -> None:
    from spetrace.report.comparison import compare
    from spetrace.report.json_report import render_json
    from spetrace.report.mail import render_mail
    from spetrace.report.terminal import render_terminal

    if format_ is ReportFormat.JSON:
        show(render_json(run))
    elif format_ is ReportFormat.TEXT:
        show(render_mail(compare(run)))
    else:
        show_drawn(render_terminal(compare(run)))
