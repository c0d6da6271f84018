"""The options that set the replay's parameters: the model, whose defaults are assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Annotated, Any

import typer

from spetrace.cli.arguments import (
    Unlimited,
    parse_costs,
    parse_duration,
    parse_limit,
    parse_size,
)
from spetrace.cli.choices import DataLoss, DlModel, InitialStage2

MODEL_PANEL = "The model (assumptions, all named in the report)"

PageSize = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        metavar="SIZE",
        help="Translation granule of both stages: 4K (the default), 16K or 64K.",
        rich_help_panel=MODEL_PANEL,
    ),
]
MemoryBytes = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        metavar="SIZE",
        help="RAM of a VM where no memslot tells (1G).",
        rich_help_panel=MODEL_PANEL,
    ),
]
MemlockBytes = Annotated[
    str | None,
    typer.Option(
        parser=parse_limit,
        metavar="SIZE|none",
        help="RLIMIT_MEMLOCK of the VM's process (none).",
        rich_help_panel=MODEL_PANEL,
    ),
]
MaxBufferBytes = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        metavar="SIZE",
        help="The largest buffer that KVM lets a guest have pinned (256M).",
        rich_help_panel=MODEL_PANEL,
    ),
]
InitialStage2Option = Annotated[
    InitialStage2 | None,
    typer.Option(
        "--initial-stage2",
        help="Stage 2 at the start: nothing mapped, or every page writable. Without it a host's "
        "recording decides (empty for a VM recorded from its start), and else it is empty.",
        rich_help_panel=MODEL_PANEL,
    ),
]
DlModelOption = Annotated[
    DlModel | None,
    typer.Option(
        "--dl-model",
        help="When a faulting write leaves a partial record behind (straddle: when it crosses into "
        "the faulting page).",
        rich_help_panel=MODEL_PANEL,
    ),
]
DataLossOption = Annotated[
    DataLoss | None,
    typer.Option(
        "--data-loss",
        help="What becomes of a buffer's earlier records after an abort or a partial record "
        "(discard).",
        rich_help_panel=MODEL_PANEL,
    ),
]
PinRefuses = Annotated[
    str | None,
    typer.Option(
        metavar="CAUSE,...",
        help="The causes of unmaps that a pinned page outlives "
        "(swap, migrate, ksm, numa, compact, unknown).",
        rich_help_panel=MODEL_PANEL,
    ),
]
KeepNs = Annotated[
    str | None,
    typer.Option(
        parser=parse_duration,
        metavar="NS|none",
        help="How long pin-and-keep keeps an idle pinned page (1000000000; none: for ever).",
        rich_help_panel=MODEL_PANEL,
    ),
]
HostBufferBytes = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        metavar="SIZE",
        help="The largest buffer that host-buffer keeps in the host (1M).",
        rich_help_panel=MODEL_PANEL,
    ),
]
Cost = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=NS",
        help="What the model charges: irq_ns, vm_exit_ns, walk_page_ns, map_page_ns, pin_page_ns, "
        "unpin_page_ns, sysreg_trap_ns, eret_trap_ns, copy_page_ns; may be repeated.",
        rich_help_panel=MODEL_PANEL,
    ),
]


def model_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a command's options that are parameters of the replay and were given.

    `given` is by parameter name; the result is as an event log's session line.
    """
    from spetrace.replay.parameters import Parameters

    names = [f.name for f in fields(Parameters) if given.get(f.name) is not None]
    values = {name: given[name] for name in names}
    parameters = {n: None if v is Unlimited.NONE else v for n, v in values.items()}
    parameters |= {n: v.value for n, v in values.items() if isinstance(v, StrEnum)}
    return parameters | ({"costs": parse_costs(given["cost"])} if given.get("cost") else {})
