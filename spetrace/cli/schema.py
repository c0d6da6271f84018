"""`spetrace schema`: the published tables."""

from __future__ import annotations

from typing import Annotated

import typer

from spetrace.cli.choices import SchemaFormat
from spetrace.cli.completion import complete_table
from spetrace.cli.console import show
from spetrace.errors import UsageError

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=complete_table,
        help="A table; without it all are listed.",
    ),
]
Format = Annotated[
    SchemaFormat,
    typer.Option("--format", help="JSON as in schemas/, Arrow's schema text, or SQL."),
]


def schema(name: Name = None, format_: Format = SchemaFormat.JSON) -> None:
    """Print the declared schema of a table that spetrace writes, or list the tables.

    [bold]Examples[/bold]

    spetrace schema

    spetrace schema events --format sql
    """
    from spetrace.tables.catalog import TABLES
    from spetrace.tables.published import render_schema

    if name is None:
        width = max(map(len, TABLES))
        show("\n".join(f"{t.name:<{width}} {t.version:<5} {t.doc}" for t in TABLES.values()))
        return
    if name not in TABLES:
        raise UsageError(f"schema {name!r}: no such table; there are {', '.join(TABLES)}")
    show(render_schema(TABLES[name], format_.value))
