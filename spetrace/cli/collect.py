"""`spetrace collect`: many results as one dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spetrace.cli.console import progress, show
from spetrace.errors import UsageError

Results = Annotated[
    list[str],
    typer.Argument(
        metavar="[NAME=]RESULTS...",
        help="Folders that spetrace replay -o wrote, with the capture's name where the folder's "
        "own is not it.",
    ),
]
Dataset = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="DATASET", help="The dataset's folder; may be there."),
]


def collect(results: Results, output: Dataset) -> None:
    """Put results into one dataset: Parquet in hive partitions by capture and strategy.

    DATASET/TABLE/capture=NAME/strategy=NAME/part.parquet, for the tables
    results, blackouts, aborts, pinned, fidelity and outcomes, and quality by
    capture. DuckDB, polars, pandas and pyarrow read DATASET/TABLE as one
    table. What is in the dataset already stays, and is replaced where its
    results have changed.

    [bold]Examples[/bold]

    spetrace collect results/* -o dataset

    spetrace collect before=old/n1 after=new/n1 -o dataset
    """
    from spetrace.report.dataset import collect as collect_results

    named = _by_name(results)
    with progress() as step:
        for each in collect_results(named, output, step("collecting")):
            rows = sum(each.rows.values())
            show(f"{each.capture}: {f'{rows:,} rows' if each.is_new else 'unchanged'}")


def _by_name(words: list[str]) -> dict[str, Path]:
    """Folders by their capture's name."""
    named: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or Path(word).exists():
            name, path = Path(word).resolve().name, word
        if name in named:
            raise UsageError(f"capture {name!r}: is both {named[name]} and {path}; use NAME=DIR")
        named[name] = Path(path)
    return named
