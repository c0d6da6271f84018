"""Do nothing and abort on every fault: the lower bound."""

from spetrace.replay.strategy import Strategy


class InjectAbort(Strategy):
    """KVM maps nothing for the SPU; each stage-2 fault reaches the guest as an external abort."""

    name = "inject-abort"
    doc = "Map nothing for the SPU; report each stage-2 fault to the guest as an external abort."
    origin = "the lower bound of every comparison"
    bound = "lower"
