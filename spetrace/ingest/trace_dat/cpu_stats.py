"""CPUSTAT options: what the kernel counted per CPU while recording (tracefs per_cpu/cpuN/stats)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from spetrace.ingest.trace_dat.options import Option, OptionId

_BUFFER = re.compile(r"^Buffer: (.*)$", re.MULTILINE)
_CPU = re.compile(r"^CPU: *(\d{1,6})$", re.MULTILINE)
_COUNT = re.compile(
    r"^(entries|overrun|commit overrun|bytes|dropped events|read events): *(\d{1,18})$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class CpuStats:
    """The counts of one CPU of one buffer ("" for the top one)."""

    buffer: str
    cpu: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """How many events the CPU wrote that were not overwritten."""
        return self.counts.get("entries", 0) + self.counts.get("read events", 0)

    def facts(self) -> dict[str, str | int]:
        """As JSON values."""
        named = {name.replace(" ", "_"): count for name, count in self.counts.items()}
        return ({"buffer": self.buffer} if self.buffer else {}) | {"cpu": self.cpu} | named


def read_cpu_stats(options: Iterable[Option]) -> list[CpuStats]:
    """The stats of all CPUs; those of an instance follow an option that names it."""
    stats = []
    buffer = ""
    for option in options:
        if option.id != OptionId.CPUSTAT:
            continue
        text = bytes(option.data).decode("utf-8", "replace")
        name, cpu = _BUFFER.search(text), _CPU.search(text)
        if name is not None:
            buffer = name[1].rstrip("\0")
        if cpu is not None:
            counts = {key: int(value) for key, value in _COUNT.findall(text)}
            stats.append(CpuStats(buffer, int(cpu[1]), counts))
    return stats
