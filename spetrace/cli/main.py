"""The console script: the commands, and every error as one sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any

import typer

from spetrace import __version__
from spetrace.cli.align import align
from spetrace.cli.arguments import expand_optional_values
from spetrace.cli.collect import collect
from spetrace.cli.compare import compare
from spetrace.cli.costs import costs
from spetrace.cli.dump import dump
from spetrace.cli.export import export
from spetrace.cli.info import info
from spetrace.cli.ingest import ingest
from spetrace.cli.interruption import (
    EXIT_INTERRUPTED,
    handle_signals,
    ignore_signals,
    interruptible,
)
from spetrace.cli.kvm import kvm
from spetrace.cli.process import set_up_process
from spetrace.cli.profile import profile
from spetrace.cli.recipe import recipe
from spetrace.cli.replay import replay
from spetrace.cli.schema import schema
from spetrace.cli.strategies import strategies
from spetrace.cli.sweep import sweep
from spetrace.errors import TraceError
from spetrace.report.wording import printable

EXIT_USAGE = 2
EXIT_FAILED = 3
EXIT_DEFECT = 70

_TyperUsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="spetrace",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a --fail-if of compare holds, 2 wrong usage, 3 a file can't be "
    "read or written, 4 nothing to do. See also: spetrace COMMAND --help",
)
for _command in (
    replay,
    sweep,
    compare,
    collect,
    info,
    dump,
    profile,
    kvm,
    ingest,
    export,
    costs,
    align,
    recipe,
    strategies,
    schema,
):
    app.command()(interruptible(_command))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spetrace {__version__}")
        raise typer.Exit


@app.callback()
def _spetrace(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Replay Arm SPE sessions under every KVM stage-2 strategy.

    Reads SPE recordings (perf.data), KVM recordings (trace.dat, ftrace and
    perf text) and event logs, puts them on one clock, and counts what each
    way of keeping the profiling buffer mapped would have cost: faults,
    blackout windows, lost records, pinned memory, overhead.

    [bold]Examples[/bold]

    spetrace recipe

    spetrace replay guest.perf.data host.dat -o results

    spetrace replay sample_traces/kvm-churn/trace.dat --assume-spe
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0, 2 (usage), 3 (input or output), 4 (nothing to do)."""
    handle_signals()
    set_up_process()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:] if arguments is None else arguments)
    ignore_signals()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code. Errors are one sentence on stderr."""
    try:
        words = expand_optional_values(arguments) or ["--help"]
        code = app(words, prog_name="spetrace", standalone_mode=False)
        if code == EXIT_INTERRUPTED:
            return _fail("interrupted", EXIT_INTERRUPTED)
        return code if isinstance(code, int) else 0
    except TraceError as error:
        return _fail(str(error), error.exit_code)
    except _TyperUsageError as error:
        return _fail(error.format_message(), EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", EXIT_INTERRUPTED)
    except MemoryError:
        return _fail("not enough memory for this input", EXIT_FAILED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", EXIT_FAILED)
    except Exception as error:
        if os.environ.get("SPETRACE_TRACEBACK"):
            raise
        return _fail(
            f"a defect in spetrace: {type(error).__name__}: {error} "
            "(SPETRACE_TRACEBACK=1 shows where; please report it)",
            EXIT_DEFECT,
        )


def _fail(sentence: str, code: int) -> int:
    line = printable(" ".join(sentence.split()))
    try:
        print(f"spetrace: {line}", file=sys.stderr)
    except OSError:
        return code
    return code
