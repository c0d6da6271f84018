"""What a plain walk gives: the counters, and the rows behind them."""

from dataclasses import dataclass, field


@dataclass
class Blackout:
    vm: int
    vcpu: int
    start_ns: int
    end_ns: int
    cause: str
    va: int
    ipa_page: int | None
    records_lost: int = 1


@dataclass
class Abort:
    vm: int
    vcpu: int
    ts: int
    va: int | None
    """Null where no write of the SPU faulted: a drain, or memlock at the time of arming."""
    ipa_page: int | None
    records_discarded: int
    stopped_until_ns: int | None = None


@dataclass
class Details:
    results: dict = field(default_factory=dict)
    """{"vms": {vm: counters}, "total": counters}, VMs as text like in the expected results."""
    outcomes: list = field(default_factory=list)
    """Of each record, in the order of the log."""
    blackouts: list = field(default_factory=list)
    aborts: list = field(default_factory=list)
    pinned: dict = field(default_factory=dict)
    """VM to {ts: pinned bytes from then on}, one entry per time of change."""
