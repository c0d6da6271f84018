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
from spetrace.cli.completion import complete_cost

MODEL_PANEL = "The model (assumptions, all named in the report)"


def _option(text: str, *flags: str, **more: Any) -> Any:
    """An option of this panel with its sentence of help."""
    return typer.Option(*flags, help=text, rich_help_panel=MODEL_PANEL, **more)


PageSize = Annotated[
    int | None,
    _option(
        "Translation granule of both stages: 4K (the default), 16K or 64K.",
        parser=parse_size,
        metavar="SIZE",
    ),
]
MemoryBytes = Annotated[
    int | None,
    _option(
        "RAM of a VM where no memslot tells (1G).",
        parser=parse_size,
        metavar="SIZE",
    ),
]
MemlockBytes = Annotated[
    str | None,
    _option(
        "RLIMIT_MEMLOCK of the VM's process (none).",
        parser=parse_limit,
        metavar="SIZE|none",
    ),
]
MaxBufferBytes = Annotated[
    int | None,
    _option(
        "The largest buffer that KVM lets a guest have pinned (256M).",
        parser=parse_size,
        metavar="SIZE",
    ),
]
InitialStage2Option = Annotated[
    InitialStage2 | None,
    _option(
        "Stage 2 at the start: nothing mapped, or every page writable. Without it a host's "
        "recording decides (empty for a VM recorded from its start), and else it is empty.",
        "--initial-stage2",
    ),
]
DlModelOption = Annotated[
    DlModel | None,
    _option(
        "When a faulting write leaves a partial record behind (straddle: when it crosses into "
        "the faulting page).",
        "--dl-model",
    ),
]
DataLossOption = Annotated[
    DataLoss | None,
    _option(
        "What becomes of a buffer's earlier records after an abort or a partial record (discard).",
        "--data-loss",
    ),
]
PinRefuses = Annotated[
    str | None,
    _option(
        "The causes of unmaps that a pinned page outlives "
        "(swap, migrate, ksm, numa, compact, unknown).",
        metavar="CAUSE,...",
    ),
]
KeepNs = Annotated[
    str | None,
    _option(
        "How long pin-and-keep keeps an idle pinned page (1000000000; none: for ever).",
        parser=parse_duration,
        metavar="NS|none",
    ),
]
HostBufferBytes = Annotated[
    int | None,
    _option(
        "The largest buffer that host-buffer keeps in the host (1M).",
        parser=parse_size,
        metavar="SIZE",
    ),
]
Cost = Annotated[
    list[str] | None,
    _option(
        "What the model charges: irq_ns, vm_exit_ns, walk_page_ns, map_page_ns, pin_page_ns, "
        "unpin_page_ns, sysreg_trap_ns, eret_trap_ns, copy_page_ns; may be repeated.",
        metavar="NAME=NS",
        autocompletion=complete_cost,
    ),
]
Costs = Annotated[
    str | None,
    _option(
        "Where costs come from: measured (from the host's kvm_exit, kvm_entry and faults), or a "
        "TOML file that spetrace costs printed. --cost wins over it.",
        metavar="measured|FILE",
    ),
]


def model_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a command's options that are parameters of the replay and were given.

    `given` is by parameter name; the result is as an event log's session line.
    """
    from spetrace.replay.parameters import Parameters

    own = {f.name for f in fields(Parameters)} - {"costs"}
    names = [name for name in given if name in own and given[name] is not None]
    values = {name: given[name] for name in names}
    parameters = {n: None if v is Unlimited.NONE else v for n, v in values.items()}
    parameters |= {n: v.value for n, v in values.items() if isinstance(v, StrEnum)}
    return parameters | ({"costs": parse_costs(given["cost"])} if given.get("cost") else {})
