"""No stage 2 at all: the upper bound."""

from spetrace.replay.strategy import Strategy


class BareMetal(Strategy):
    """The session as if the guest ran without stage 2."""

    name = "bare-metal"
    doc = "No stage 2: what the guest's own doing loses, and nothing else."
    origin = "the upper bound of every comparison"
    bound = "upper"
    has_stage2 = False
