"""What a perf.data file tells about itself, as JSON values for people and session.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spetrace.ingest.perf_data.abi import CLOCK_NAMES, PMU_TYPES, TRACE_CLOCKS
from spetrace.ingest.perf_data.aux_streams import AuxStream
from spetrace.ingest.perf_data.events import Event, EventTable
from spetrace.ingest.perf_data.features import Features
from spetrace.ingest.perf_data.header import Header


def describe(
    header: Header, features: Features, events: EventTable, streams: Sequence[AuxStream]
) -> dict[str, Any]:
    """The properties of a recording; a fact that the file lacks has no key."""
    facts = {
        "mode": "pipe" if header.pipe else "file",
        "byte_order": "little" if header.order == "<" else "big",
        "hostname": features.hostname,
        "os_release": features.os_release,
        "perf_version": features.perf_version,
        "arch": features.arch,
        "cpu_description": features.cpu_description,
        "cpuid": features.cpuid,
        "nr_cpus": _pair(features.nr_cpus, "available", "online"),
        "total_memory_kib": features.total_memory_kib,
        "cmdline": features.cmdline or None,
        "compression_level": features.compression_level,
        "clockid": clock_name(events),
        "sample_time_ns": _pair(_known_span(features.sample_time_ns), "first", "last"),
        "events": [_event(event, features.pmu_mappings) for event in events.events],
        "aux_streams": [_stream(stream) for stream in streams] or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def pmu_name(type_: int, pmu_mappings: Mapping[int, str]) -> str:
    """The name of the PMU with this `perf_event_attr.type`; its number where the file has none."""
    return PMU_TYPES.get(type_) or pmu_mappings.get(type_) or str(type_)


def _event(event: Event, pmu_mappings: Mapping[int, str]) -> dict[str, Any]:
    type_ = pmu_name(event.attr.type, pmu_mappings)
    return {
        "name": event.name or f"{type_}/config={event.attr.config:#x}/",
        "type": type_,
        "config": event.attr.config,
        "samples": event.samples,
    }


def _stream(stream: AuxStream) -> dict[str, Any]:
    return {
        "cpu": stream.cpu,
        "tid": stream.tid,
        "bytes": int(stream.chunks.size_bytes.sum()),
        "chunks": len(stream.chunks.start),
    }


def clock_name(events: EventTable) -> str | None:
    """The clock of the sample times, where it is not perf's own."""
    chosen = [e.attr.clockid for e in events.events if e.attr.clockid is not None]
    return CLOCK_NAMES.get(chosen[0], str(chosen[0])) if chosen else None


def trace_clock_name(events: EventTable) -> str:
    """The clock of the sample times by ftrace's name, where it has one; perf's own is "perf"."""
    name = clock_name(events)
    return TRACE_CLOCKS.get(name, name) if name else "perf"


def _known_span(span: tuple[int, int] | None) -> tuple[int, int] | None:
    return span if span and any(span) else None


def _pair(values: tuple[int, int] | None, first: str, second: str) -> dict[str, int] | None:
    return None if values is None else {first: values[0], second: values[1]}
