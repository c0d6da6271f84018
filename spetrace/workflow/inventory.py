"""What a recording holds, as facts for people and scripts (`spetrace info`)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
import pyarrow.compute as pc

from spetrace.report.units import render_time
from spetrace.report.wording import printable
from spetrace.tables.recording import Recording, SpeData
from spetrace.tables.tracepoint_frames import TracepointFrames, frames_of

Span = tuple[int, int]
_Line = tuple[str, str]
"""What begins a line, and the text that may go on below where it begins."""
_NARROWEST: Final = 16
_FLAGS = ("truncated", "partial", "collision")


def take_inventory(recording: Recording) -> dict[str, Any]:
    """The recording's format, clock, CPUs, span, events, AUX streams, properties and losses.

    JSON values only. Decodes all events and SPE data once, so that their losses are known.
    """
    frames = frames_of(recording.tracepoints)
    streams = _streams(recording.spe) if recording.spe else []
    spans = [frames.span, *(s["span_ns"] for s in streams), _log_span(recording)]
    return {
        "file": recording.name,
        "format": recording.format,
        "size_bytes": recording.size_bytes,
        "clock": recording.clock,
        "clock_is_ns": recording.clock_is_ns,
        "span_ns" if recording.clock_is_ns else "span": _union(spans),
        "cpus": _cpus(frames, streams),
        "events": {name: count for name, count in sorted(frames.counts.items()) if count},
        "other_samples": _other_samples(recording),
        "event_log": _event_log(recording),
        "spe": _spe(recording.spe, streams) if recording.spe else None,
        "properties": dict(recording.properties),
        "quality": [
            {
                "counter": counter.name,
                "severity": counter.severity.value,
                "count": count,
                "doc": counter.doc,
                "detail": recording.quality.details.get(counter.name),
                "remedy": counter.remedy,
            }
            for counter, count in recording.quality
        ],
    }


def _union(spans: Sequence[Sequence[int] | None]) -> list[int] | None:
    known = [s for s in spans if s is not None]
    return [min(s[0] for s in known), max(s[1] for s in known)] if known else None


def _log_span(recording: Recording) -> Span | None:
    if recording.events is None or not len(recording.events):
        return None
    bounds = pc.min_max(recording.events["ts"]).as_py()
    return bounds["min"], bounds["max"]


def _cpus(frames: TracepointFrames, streams: Sequence[Mapping[str, Any]]) -> list[int]:
    """Decodes all events, so that their losses are known."""
    found = {s["cpu"] for s in streams}
    for _name, frame in frames.batches():
        found.update(frame["cpu"].unique().to_list())
    return sorted(cpu for cpu in found if cpu is not None)


def _other_samples(recording: Recording) -> dict[str, int]:
    """Samples of a perf.data that are no tracepoints, by event."""
    events = recording.properties.get("events")
    others = [e for e in events if e["type"] != "tracepoint"] if isinstance(events, list) else []
    return {event["name"]: event["samples"] for event in others if event["samples"]}


def _event_log(recording: Recording) -> dict[str, Any] | None:
    if recording.events is None:
        return None
    kinds = pc.value_counts(recording.events["kind"].cast("string")).to_pylist()
    return {
        "events": {k["values"]: k["counts"] for k in sorted(kinds, key=lambda k: k["values"])},
        "parameters": recording.parameters,
    }


def _spe(spe: SpeData, streams: list[dict[str, Any]]) -> dict[str, Any]:
    conversion = spe.time_conversion
    return {
        "records": sum(s["records"] for s in streams),
        "streams": streams,
        "aux_area_bytes": spe.aux_area_bytes,
        "midrs": {"all" if c is None else str(c): f"{m:#x}" for c, m in spe.midrs.items()},
        "time_conversion": None
        if conversion is None
        else {
            "shift": conversion.shift,
            "multiplier": conversion.multiplier,
            "zero": conversion.zero,
        },
        "exclude_user": spe.exclude_user,
        "exclude_kernel": spe.exclude_kernel,
    }


def _streams(spe: SpeData) -> list[dict[str, Any]]:
    """Per AUX stream: its CPU or thread, AUX records by flag, bytes, records and their span."""
    aux = spe.aux_records
    streams: list[dict[str, Any]] = []
    for stream, (cpu, tid) in enumerate(zip(spe.stream_cpus, spe.stream_tids, strict=True)):
        own = aux.filter(pl.col("stream") == stream)
        facts: dict[str, Any] = {"cpu": cpu, "tid": tid, "aux_records": len(own)}
        flags = {flag: int(own[flag].sum()) for flag in _FLAGS}
        streams.append(facts | flags | {"bytes": 0, "records": 0, "span_ns": None})
    for stream, batch in spe.batches(["size_bytes", "time_ns"], in_order=False):
        facts = streams[stream]
        facts["records"] += batch.num_rows
        facts["bytes"] += pc.sum(batch.column("size_bytes")).as_py() or 0
        bounds = pc.min_max(batch.column("time_ns")).as_py()
        found = None if bounds["min"] is None else (bounds["min"], bounds["max"])
        facts["span_ns"] = _union([facts["span_ns"], found])
    return streams


def render_inventory(facts: Mapping[str, Any], width: int | None = None) -> str:
    """The facts of `take_inventory` as text, its lines broken between words to `width` characters.

    A line goes on below the place where its value begins.
    """
    lines = _facts_lines(facts)
    return "\n".join(text for line in lines for text in _broken(line, width)) + "\n"


def _broken(line: _Line, width: int | None) -> list[str]:
    head, text = line
    if width is None or len(head) + len(text) <= width:
        return [head + text]
    parts = (
        [text]
        if not text
        else textwrap.wrap(
            text,
            max(width - len(head), _NARROWEST),
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
    return [(" " * len(head) if place else head) + part for place, part in enumerate(parts)]


def _facts_lines(facts: Mapping[str, Any]) -> list[_Line]:
    span, unit = facts.get("span_ns", facts.get("span")), " ns" if facts["clock_is_ns"] else ""
    rows = [
        ("format", facts["format"]),
        ("size", f"{facts['size_bytes']:,} bytes"),
        ("clock", facts["clock"] or "none"),
        ("span", f"{span[0]:,} to {span[1]:,}{unit}{_length(span, unit)}" if span else "none"),
        ("CPUs", ", ".join(map(str, facts["cpus"])) or "none recorded"),
    ]
    rows += [(f"  {name}", value) for name, value in _simple(facts["properties"])]
    return [
        ("", printable(facts["file"])),
        *((f"  {name:<22} ", value) for name, value in rows),
        *_count_lines(facts),
        *(_spe_lines(facts["spe"]) if facts["spe"] else []),
        *_loss_lines(facts["quality"]),
    ]


def _count_lines(facts: Mapping[str, Any]) -> Iterator[_Line]:
    for title, counts in (
        ("tracepoints", facts["events"]),
        ("other samples, not decoded", facts["other_samples"]),
        ("event log", (facts["event_log"] or {}).get("events", {})),
    ):
        if counts:
            yield "  ", f"{title}: {sum(counts.values()):,} events"
            yield from (("    ", f"{printable(n):<28} {c:>12,}") for n, c in _by_count(counts))


def _loss_lines(losses: Sequence[Mapping[str, Any]]) -> Iterator[_Line]:
    yield "  ", "losses and oddities:" + ("" if losses else " none")
    blank = f"    {'':<10} "
    for loss in losses:
        yield f"    {loss['severity']:<10} ", f"{loss['count']:,} {loss['counter']}: {loss['doc']}"
        if loss["detail"]:
            yield blank, printable(loss["detail"])
        yield blank, f"remedy: {loss['remedy']}"


def _length(span: Sequence[int], unit: str) -> str:
    return f" ({render_time(span[1] - span[0])})" if unit else ""


def _simple(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Properties that fit a line; the others are for JSON."""
    for name, value in properties.items():
        parts = value if isinstance(value, (list, tuple)) else [value]
        if parts and not any(isinstance(part, (Mapping, list, tuple)) for part in parts):
            yield printable(name), printable(" ".join(map(str, parts)))


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _spe_lines(spe: Mapping[str, Any]) -> Iterator[_Line]:
    area = spe["aux_area_bytes"]
    records = f"SPE: {spe['records']:,} records in {len(spe['streams'])} AUX streams, AUX area "
    yield "  ", records + (f"{area:,} bytes" if area else "not recorded")
    for stream in spe["streams"]:
        who = _owner(stream["cpu"], stream["tid"])
        flags = ", ".join(f"{stream[f]} {f}" for f in _FLAGS if stream[f])
        yield (
            f"    {who}: ",
            f"{stream['records']:,} records, {stream['bytes']:,} bytes, "
            f"{stream['aux_records']} AUX records" + (f" ({flags})" if flags else ""),
        )


def _owner(cpu: int | None, tid: int | None) -> str:
    if cpu is None and tid is None:
        return "of an unknown CPU"
    return f"thread {tid}" if cpu is None else f"CPU {cpu}"
