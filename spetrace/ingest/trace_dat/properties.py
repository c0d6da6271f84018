"""Facts about a recording for people and session.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat.buffers import current_clock
from spetrace.ingest.trace_dat.container import Container
from spetrace.ingest.trace_dat.corrections import Corrections
from spetrace.ingest.trace_dat.cpu_stats import read_cpu_stats
from spetrace.ingest.trace_dat.options import OptionId

_CYCLE_CLOCKS = {"x86-tsc", "ppc-tb"}
_COUNTER_CLOCKS = {"counter", "uptime"}
_TEXTS: dict[int, str] = {OptionId.UNAME: "uname", OptionId.VERSION: "trace_cmd_version"}


def clock_name(container: Container) -> str | None:
    """The trace clock of the top buffer, else of the first buffer that names one."""
    for buffer in container.buffers:
        if buffer.clock is not None:
            return buffer.clock
    option = container.first(OptionId.TRACECLOCK)
    return None if option is None else current_clock(option.text())


def clock_is_ns(clock: str | None, corrections: Corrections) -> bool:
    """Whether corrected times of `clock` are nanoseconds."""
    if clock in _COUNTER_CLOCKS:
        return False
    return clock not in _CYCLE_CLOCKS or corrections.tsc is not None


def describe(container: Container, counts: Mapping[str, int]) -> dict[str, Any]:
    """The properties of a recording with that many events by tracepoint: JSON values."""
    prologue = container.prologue
    facts: dict[str, Any] = {
        "version": prologue.version,
        "compression": prologue.compression,
        "endianness": "little" if prologue.order == "<" else "big",
        "long_size": container.metadata.long_size,
        "page_size": prologue.page_size,
        "cpus": _cpu_count(container),
        "instances": [b.name for b in container.buffers if b.name],
        "events": dict(sorted(counts.items())),
        "cpu_stats": [stats.facts() for stats in read_cpu_stats(container.options)],
    }
    for option in container.options:
        if option.id in _TEXTS:
            facts[_TEXTS[option.id]] = option.text()
    return facts | _session_facts(container)


def _cpu_count(container: Container) -> int:
    count = container.cpu_count
    if count is not None:
        return count
    return len({c.cpu for b in container.buffers for c in b.cpus})


def _session_facts(container: Container) -> dict[str, Any]:
    """Ids of the recording and of its peers, and the guests recorded with it."""
    order = container.prologue.order
    facts: dict[str, Any] = {}
    guests = []
    for option in container.options:
        try:
            if option.id == OptionId.TRACEID:
                facts["trace_id"] = f"{option.cursor(order).u64():#018x}"
            elif option.id == OptionId.TIME_SHIFT:
                facts["host_trace_id"] = f"{option.cursor(order).u64():#018x}"
            elif option.id == OptionId.GUEST:
                guests.append(_guest(option.cursor(order)))
        except InputError as error:
            container.quality.add("trace_damaged_sections", 1, str(error))
    return facts | ({"guests": guests} if guests else {})


def _guest(cursor: Cursor) -> dict[str, Any]:
    name, trace_id, vcpus = cursor.c_string(), cursor.u64(), cursor.u32()
    if vcpus * 8 > cursor.left:
        raise cursor.error(f"{vcpus} vCPUs are more than it can hold")
    threads = [cursor.unpack("II") for _ in range(vcpus)]
    return {
        "name": name,
        "trace_id": f"{trace_id:#018x}",
        "vcpu_tids": {str(vcpu): tid for vcpu, tid in threads},
    }
