"""The recorded SPE data as guest events: each stream's events on the session's clock, its buffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from spetrace.arm.registers import pmscr
from spetrace.quality import Quality
from spetrace.session.assumptions import Assumptions
from spetrace.session.buffers import DEFAULT_AUX_BYTES, Buffer, buffer_va
from spetrace.session.clocks import Alignment
from spetrace.session.event_run import shifted_ns
from spetrace.session.merge import TimedRun
from spetrace.session.programming import program
from spetrace.session.session_toml import VmChoices
from spetrace.session.spe_stream import BufferSetup, iter_stream_runs
from spetrace.session.spe_streams import RECORD_COLUMNS
from spetrace.session.spe_survey import SpeSurvey
from spetrace.session.stream_owners import StreamOwner
from spetrace.session.stream_survey import StreamSurvey
from spetrace.tables.recording import Recording, SpeData

_AUX_UNIT: Final = 8192
_AREA_MAX: Final = 1 << 40
_ROWS_AT_A_TIME: Final = 1 << 18
"""Records of all streams together that are decoded and not yet in the log: some 30 MB."""
_BATCH_ROWS: Final = (256, 1 << 15)


@dataclass(frozen=True)
class GuestStream:
    """One stream's events, made when asked for, and its AUX area.

    `offset_ns` is what its recording's clock lacks to the session's: 0 at first.
    """

    owner: StreamOwner
    spe: SpeData
    survey: StreamSurvey
    setup: BufferSetup
    first_row: int
    area_bytes: int
    offset_ns: int = 0

    @property
    def first_record_ns(self) -> int | None:
        """Time of its earliest record; None where it has none."""
        first = self.survey.first_record_ns
        return None if first is None else self._shifted(first)

    @property
    def first_ns(self) -> int:
        """Time of its earliest event."""
        return self._shifted(self.survey.first_ns)

    @property
    def last_ns(self) -> int:
        """Time of its last event."""
        return self._shifted(self.survey.last_ns)

    @property
    def first_but_registers_ns(self) -> int | None:
        """Time of its earliest event that is no register write; None without any."""
        first = self.survey.first_but_registers_ns(self.setup.plan.is_full)
        return None if first is None else self._shifted(first)

    def runs(self, batch_rows: int) -> Iterator[TimedRun]:
        """Its events, from about `batch_rows` records at a time."""
        owner = self.owner
        batches = self.spe.stream_batches(owner.stream, RECORD_COLUMNS, batch_rows)
        for run, later_ns in iter_stream_runs(self.survey, batches, self.setup, self.first_row):
            own = run.of(owner.vm, owner.vcpu).shifted(self.offset_ns)
            yield TimedRun(own, self._shifted(later_ns))

    def _shifted(self, time_ns: int) -> int:
        return shifted_ns(time_ns, self.offset_ns)


def guest_streams(
    recordings: Sequence[Recording],
    surveys: Mapping[int, SpeSurvey],
    owners: Sequence[StreamOwner],
    aux_bytes: int | None,
    page_size: int,
    assumptions: Assumptions,
    quality: Quality,
) -> list[GuestStream]:
    """All streams that have events, by VM and vCPU; `surveys` are those of the SPE recordings.

    Rows count through all recordings, as in table spe_records of the session.
    """
    streams = []
    row = 0
    by_place = {(owner.source, owner.stream): owner for owner in owners}
    for source, recording in enumerate(recordings):
        if recording.spe is None:
            continue
        area = _assumed_area_bytes(recording.spe, aux_bytes, assumptions)
        for stream, survey in enumerate(surveys[source].streams):
            owner = by_place[source, stream]
            quality.add("spe_records_outside_aux", survey.outside)
            if len(survey.parts):
                plan = program(survey.parts, area, page_size)
                setup = BufferSetup(plan, buffer_va(owner.number), _pmscr(recording.spe, stream))
                streams.append(GuestStream(owner, recording.spe, survey, setup, row, area))
            row += survey.records
    return sorted(streams, key=lambda s: (s.owner.vm, s.owner.vcpu, s.owner.number))


def aligned(
    streams: Sequence[GuestStream], alignments: Mapping[int, Alignment]
) -> list[GuestStream]:
    """The streams on the session's clock, by the alignment of their input."""
    return [replace(s, offset_ns=alignments[s.owner.source].offset_ns) for s in streams]


def batch_rows(streams: int) -> int:
    """Records of each stream to decode at a time where `streams` are gone through side by side."""
    least, most = _BATCH_ROWS
    return min(max(_ROWS_AT_A_TIME // max(streams, 1), least), most)


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
    if told and chosen and told != chosen:
        text = f"The recording's command line says so: --aux-bytes {chosen} is not used for it."
        assumptions.add("aux-bytes", told, text)
    if told:
        return told
    assumptions.add(
        "aux-bytes",
        DEFAULT_AUX_BYTES,
        "The AUX area has perf's default size for root: the recording doesn't tell it.",
    )
    return DEFAULT_AUX_BYTES
