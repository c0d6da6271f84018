"""The recorded SPE data as guest events: each stream's events on the session's clock, its buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from spetrace.arm.registers import pmscr
from spetrace.quality import Quality
from spetrace.session.assumptions import Assumptions
from spetrace.session.buffers import DEFAULT_AUX_BYTES, Buffer, buffer_va
from spetrace.session.clocks import Alignment, has_one_clock
from spetrace.session.event_run import SPE_RECORD, EventRun
from spetrace.session.session_toml import VmChoices
from spetrace.session.spe_stream import stream_events
from spetrace.session.spe_streams import aux_parts, iter_streams
from spetrace.session.stream_owners import StreamOwner
from spetrace.tables.recording import Recording, SpeData

_AUX_UNIT: Final = 8192
_AREA_MAX: Final = 1 << 40


@dataclass(frozen=True)
class GuestStream:
    """One stream's events, on its recording's clock at first, and its AUX area."""

    owner: StreamOwner
    run: EventRun
    area_bytes: int

    @property
    def first_record_ns(self) -> int | None:
        """Time of its earliest record; None where it has none."""
        records = self.run.ts[self.run.code == SPE_RECORD]
        return int(records.min()) if len(records) else None


def guest_streams(
    recordings: Sequence[Recording],
    owners: Sequence[StreamOwner],
    aux_bytes: int | None,
    page_size: int,
    assumptions: Assumptions,
    quality: Quality,
) -> list[GuestStream]:
    """The events of all streams that have any, by VM and vCPU."""
    streams = []
    by_place = {(owner.source, owner.stream): owner for owner in owners}
    for source, recording in enumerate(recordings):
        if recording.spe is None:
            continue
        area = _assumed_area_bytes(recording.spe, aux_bytes, assumptions)
        parts = aux_parts(recording.spe, with_times=has_one_clock(recording))
        for stream, records in iter_streams(recording.spe):
            owner = by_place[source, stream]
            events = stream_events(
                parts[stream],
                records,
                base=buffer_va(owner.number),
                area_bytes=area,
                pmscr=_pmscr(recording.spe, stream),
                page_size=page_size,
            )
            quality.add("spe_records_outside_aux", events.outside)
            if len(events.run):
                streams.append(GuestStream(owner, events.run.of(owner.vm, owner.vcpu), area))
    return sorted(streams, key=lambda s: (s.owner.vm, s.owner.vcpu, s.owner.number))


def aligned(
    streams: Sequence[GuestStream], alignments: Mapping[int, Alignment]
) -> list[GuestStream]:
    """The streams on the session's clock, by the alignment of their input."""
    return [replace(s, run=s.run.shifted(alignments[s.owner.source].offset_ns)) for s in streams]


def stream_buffers(
    streams: Sequence[GuestStream], by_vm: Mapping[int, VmChoices]
) -> dict[int, list[Buffer]]:
    """Per VM the buffers of its streams, each ending below the one before."""
    buffers: dict[int, list[Buffer]] = {}
    for stream in sorted(streams, key=lambda s: (s.owner.vm, s.owner.number)):
        owner = stream.owner
        above = buffers.setdefault(owner.vm, [])
        chosen = by_vm.get(owner.vm, VmChoices())
        above.append(
            Buffer(
                owner.vm,
                owner.vcpu,
                buffer_va(owner.number),
                stream.area_bytes,
                owner.number * stream.area_bytes,
                chosen.chunks_of(owner.vcpu),
            )
        )
    return buffers


def _pmscr(spe: SpeData, stream: int) -> int:
    exclude_user, exclude_kernel = spe.excludes(stream)
    return pmscr(exclude_user=exclude_user, exclude_kernel=exclude_kernel)


def area_bytes(spe: SpeData, chosen: int | None) -> int:
    """The AUX area's size: by the recording's command line, as given, or perf's default for root."""
    return _told_area_bytes(spe, chosen) or DEFAULT_AUX_BYTES


def _told_area_bytes(spe: SpeData, chosen: int | None) -> int | None:
    recorded = spe.aux_area_bytes
    if recorded and recorded % _AUX_UNIT == 0 and recorded <= _AREA_MAX:
        return recorded
    return chosen


def _assumed_area_bytes(spe: SpeData, chosen: int | None, assumptions: Assumptions) -> int:
    told = _told_area_bytes(spe, chosen)
    if told:
        return told
    assumptions.add(
        "aux-bytes",
        DEFAULT_AUX_BYTES,
        "The AUX area has perf's default size for root: the recording doesn't tell it.",
    )
    return DEFAULT_AUX_BYTES
