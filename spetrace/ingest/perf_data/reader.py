"""A perf.data file as a Recording."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.abi import Feature
from spetrace.ingest.perf_data.attrs import iter_attrs
from spetrace.ingest.perf_data.aux_area import aux_area_bytes
from spetrace.ingest.perf_data.aux_frame import build_aux_frame, count_aux_flags
from spetrace.ingest.perf_data.aux_records import AuxRecords
from spetrace.ingest.perf_data.aux_streams import build_streams
from spetrace.ingest.perf_data.contents import Contents
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.features import Features, read_features
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.header import parse_header
from spetrace.ingest.perf_data.properties import clock_name, describe, trace_clock_name
from spetrace.ingest.perf_data.segments import missing_bytes
from spetrace.ingest.perf_data.spe_data import PerfSpeData
from spetrace.ingest.perf_data.tracepoint_samples import TracepointSamples
from spetrace.ingest.perf_data.tracepoints import build_frames
from spetrace.quality import Quality
from spetrace.tables.recording import Recording

_SPE_PMU = "arm_spe"
_LARGEST_COUNT = (1 << 63) - 1
_MIDR = re.compile(r"0x([0-9a-fA-F]{1,16})")


def read_perf_data(name: str, data: memoryview) -> Recording:
    """Read a mapped perf.data file, in file or pipe mode, of either byte order.

    Raises InputError where its header can't be read or describes no event.
    """
    header, quality = parse_header(data), Quality()
    if Feature.DIR_FORMAT in header.features:
        cause = "the file is one of several (perf record --threads), which are not read"
        raise InputError("perf.data header", cause, offset=header.size)
    file_bytes = np.frombuffer(data, np.uint8)
    features = read_features(data, header, quality)
    contents = Contents(EventTable(), features, quality, TracepointSamples(file_bytes))
    for attr, ids in iter_attrs(data, header, quality):
        contents.events.add(attr, ids)
    contents.read(file_bytes, header)
    quality.add("perf_unknown_features", contents.features.unknown)
    if not contents.events.events:
        raise InputError("perf.data attributes", "no event is described", offset=header.size)
    _name_events(contents.events, contents.features)
    spe = _read_spe(contents, file_bytes)
    side_band, build_ids = contents.side_band, contents.features.build_ids
    threads = side_band.threads()
    tracepoints = build_frames(contents, threads, header.order)
    let_go(file_bytes)
    return Recording(
        name=name,
        format="perf.data (pipe)" if header.pipe else "perf.data",
        size_bytes=len(data),
        clock=trace_clock_name(contents.events),
        properties=describe(header, contents.features, contents.events, spe.streams if spe else []),
        quality=quality,
        mappings=side_band.mappings(build_ids, header.order, quality),
        threads=threads,
        spe=spe,
        tracepoints=tracepoints,
    )


def _name_events(events: EventTable, features: Features) -> None:
    """Name the events by their ids, or by their order where none has an id."""
    for description in features.event_descriptions:
        if len(description.ids):
            events.name(int(description.ids[0]), description.name)
    if len(features.event_descriptions) == len(events.events):
        for event, description in zip(events.events, features.event_descriptions, strict=True):
            event.name = event.name or description.name


def _read_spe(contents: Contents, file_bytes: Bytes) -> PerfSpeData | None:
    """The SPE part; None where neither an AUXTRACE_INFO nor a PMU's name tells of one."""
    if contents.other_trace:
        return None
    of_spe = _spe_events(contents)
    if contents.auxtrace_info is None and not of_spe.any():
        return None
    aux = _only_spe(contents.aux_records, of_spe)
    streams, of_stream = build_streams(contents.chunks, aux, contents.idx_of_id, contents.quality)
    aux, of_stream = aux.where(of_stream >= 0), of_stream[of_stream >= 0]
    missing = sum(missing_bytes(stream, file_bytes) for stream in streams)
    contents.quality.add("aux_gap_bytes", min(missing, _LARGEST_COUNT))
    count_aux_flags(aux, contents.quality)
    clock = clock_name(contents.events)
    if clock and contents.time_conversion:
        contents.quality.add("clock_mismatch", 1, f"AUX records are on {clock}")
    return PerfSpeData(
        data=file_bytes,
        streams=streams,
        aux_records=build_aux_frame(aux, of_stream, streams),
        time_conversion=contents.time_conversion,
        event_flags={
            number: event.attr.flags
            for number, event in enumerate(contents.events.events)
            if of_spe[number]
        },
        aux_area_bytes=aux_area_bytes(contents.features.cmdline),
        midrs=_midrs(contents),
        quality=contents.quality,
    )


def _spe_events(contents: Contents) -> npt.NDArray[np.bool_]:
    """Which events are of SPE: by the PMU types of AUXTRACE_INFO and by the PMUs' names.

    Version 1 of AUXTRACE_INFO has room for one type, and a machine of different CPUs has several.
    """
    types = {t for t, name in contents.features.pmu_mappings.items() if name.startswith(_SPE_PMU)}
    if contents.auxtrace_info is not None:
        types |= contents.auxtrace_info.pmu_types
    return np.array([e.attr.type in types for e in contents.events.events], bool)


def _only_spe(aux: AuxRecords, of_spe: npt.NDArray[np.bool_]) -> AuxRecords:
    """The AUX records that are not known to be another event's."""
    return aux.where((aux.event < 0) | of_spe[aux.event])


def _midrs(contents: Contents) -> dict[int | None, int]:
    """MIDR_EL1 by CPU from AUXTRACE_INFO; for all others the one that perf notes as CPUID."""
    midrs: dict[int | None, int] = {}
    if contents.auxtrace_info is not None:
        midrs.update(contents.auxtrace_info.midrs)
    match = _MIDR.fullmatch(contents.features.cpuid or "")
    if match:
        midrs[None] = int(match[1], 16)
    return midrs
