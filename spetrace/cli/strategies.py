"""`spetrace strategies`: what can be replayed."""

from __future__ import annotations

from typing import Annotated

import typer

from spetrace.cli.choices import TextFormat
from spetrace.cli.completion import complete_strategy
from spetrace.cli.console import show, show_json

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=complete_strategy,
        help="One strategy; without it all are listed.",
    ),
]
Format = Annotated[TextFormat, typer.Option("--format", help="Text for people or JSON.")]


def strategies(name: Name = None, format_: Format = TextFormat.TEXT) -> None:
    """List the strategies: what each does, where it comes from, and what it needs.

    [bold]Examples[/bold]

    spetrace strategies

    spetrace strategies pin-and-keep
    """
    from spetrace.replay.strategy_guide import describe, render

    described = describe(name)
    if format_ is TextFormat.JSON:
        show_json(described)
    else:
        show(render(described))
