"""Every option of the panels that commands share, declared once; a command names those it takes."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from spetrace.cli import model_options as model
from spetrace.cli import session_options as said
from spetrace.cli.arguments import parse_assumed_spe
from spetrace.session.options import SessionOptions

_PARAMETER: Final = "assumed"
"""The parameter of a command that its shared options are given as."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What the files can't say, and the model: each option's value, its default where not given.

    The order is that of `--help`.
    """

    assume_spe: said.AssumeSpe = None
    session: said.SessionToml = None
    vmm_maps: said.VmmMaps = None
    ram_base: said.RamBase = None
    ram_bytes: said.RamBytes = None
    clock_offset: said.ClockOffset = None
    stage2_from: said.Stage2Source = None
    infer_read_only: said.InferReadOnly = False
    aux_bytes: said.AuxBytes = None
    placement: said.PlacementOption = None
    placement_seed: said.PlacementSeed = None
    no_buffer_touched: said.NoBufferTouched = False
    event_map: said.EventMap = None
    page_size: model.PageSize = None
    memory_bytes: model.MemoryBytes = None
    memlock_bytes: model.MemlockBytes = None
    max_buffer_bytes: model.MaxBufferBytes = None
    initial_stage2: model.InitialStage2Option = None
    dl_model: model.DlModelOption = None
    data_loss: model.DataLossOption = None
    pin_refuses: model.PinRefuses = None
    keep_ns: model.KeepNs = None
    host_buffer_bytes: model.HostBufferBytes = None
    costs: model.Costs = None
    cost: model.Cost = None

    @property
    def options(self) -> SessionOptions:
        """The same as the pipeline takes it: null for what was not given."""
        return SessionOptions(
            assume_spe=parse_assumed_spe(self.assume_spe),
            session_toml=self.session,
            vmm_maps=self.vmm_maps,
            ram_base=self.ram_base,
            ram_bytes=self.ram_bytes,
            clock_offset_ns=self.clock_offset,
            stage2_from=_word(self.stage2_from),
            infer_read_only=self.infer_read_only or None,
            aux_bytes=self.aux_bytes,
            placement=_word(self.placement),
            placement_seed=self.placement_seed,
            buffer_touched=False if self.no_buffer_touched else None,
            costs=self.costs,
            event_map=self.event_map,
            parameters=model.model_parameters(vars(self)) or None,
        )


HOST: Final = (
    "assume_spe",
    "session",
    "vmm_maps",
    "ram_base",
    "ram_bytes",
    "stage2_from",
    "infer_read_only",
    "event_map",
)
"""What a host's recording can't say."""
SESSION: Final = (
    *HOST,
    "clock_offset",
    "aux_bytes",
    "placement",
    "placement_seed",
    "no_buffer_touched",
)
"""What recordings of host and guest can't say."""
ALL: Final = tuple(field.name for field in fields(Assumptions))


def assuming(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: the command takes these options, as the Assumptions in its parameter `assumed`.

    Typer reads a command's options off its signature, so that is the command's own with `assumed`
    replaced by one parameter per option.
    """
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
        )
        for field in fields(Assumptions)
        if field.name in names
    ]

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        """The command with the options as parameters of its own."""
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.name != _PARAMETER]

        @functools.wraps(command)
        def taking(**given: Any) -> None:
            """Call the command with its own parameters, and the shared ones as one."""
            assumed = Assumptions(**{each.name: given.pop(each.name) for each in shared})
            command(**given, **{_PARAMETER: assumed})

        merged = signature.replace(parameters=[*own, *shared])
        taking.__annotations__ = {each.name: each.annotation for each in [*own, *shared]}
        vars(taking)["__signature__"] = merged
        return taking

    return with_options


def _word(choice: StrEnum | None) -> str | None:
    return None if choice is None else choice.value
