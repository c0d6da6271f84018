"""The stage-2 strategies: one file each, and one line here."""

from spetrace.replay.strategies.bare_metal import BareMetal
from spetrace.replay.strategies.host_buffer import HostBuffer
from spetrace.replay.strategies.inject_abort import InjectAbort
from spetrace.replay.strategies.map_on_fault import MapOnFault
from spetrace.replay.strategies.pin_and_keep import PinAndKeep
from spetrace.replay.strategies.pin_on_arm import PinOnArm
from spetrace.replay.strategies.pin_on_enable import PinOnEnable
from spetrace.replay.strategies.pin_on_first_fault import PinOnFirstFault
from spetrace.replay.strategies.pin_vm import PinVm
from spetrace.replay.strategies.pin_walk import PinWalk
from spetrace.replay.strategies.pin_while_enabled import PinWhileEnabled
from spetrace.replay.strategies.prefault_vm import PrefaultVm
from spetrace.replay.strategies.trap_eret import TrapEret
from spetrace.replay.strategies.trap_eret_always import TrapEretAlways
from spetrace.replay.strategy import Strategy

STRATEGIES: tuple[type[Strategy], ...] = (
    BareMetal,
    InjectAbort,
    PinVm,
    PrefaultVm,
    MapOnFault,
    PinWalk,
    PinOnFirstFault,
    PinOnEnable,
    PinOnArm,
    PinWhileEnabled,
    PinAndKeep,
    TrapEret,
    TrapEretAlways,
    HostBuffer,
)
"""All strategies, in the order of every report."""
