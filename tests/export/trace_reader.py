"""Reads a Perfetto trace as its viewer does, and fails where it breaks a rule of the format."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb


@dataclass
class Slice:
    track: str
    name: str
    start: int
    end: int | None
    details: dict[str, Any]


@dataclass
class Instant:
    track: str
    name: str
    time: int
    details: dict[str, Any]


@dataclass
class Shown:
    """What a viewer has of a trace; tracks by their path of names, lanes of one as one."""

    tracks: dict[str, Any] = field(default_factory=dict)
    slices: list[Slice] = field(default_factory=list)
    instants: list[Instant] = field(default_factory=list)
    counters: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    events: int = 0
    descriptors: int = 0

    def of(self, track: str) -> list[Any]:
        """Slices and instants of a track."""
        return [each for each in [*self.slices, *self.instants] if each.track == track]


class Sequence:
    """The state of one packet sequence."""

    def __init__(self) -> None:
        self.time = 0
        self.names: dict[int, str] = {}
        self.categories: dict[int, str] = {}
        self.details: dict[int, str] = {}

    def take_names(self, packet: Any) -> None:
        assert packet.sequence_flags & pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        data = packet.interned_data
        self.names = {each.iid: each.name for each in data.event_names}
        self.categories = {each.iid: each.name for each in data.event_categories}
        self.details = {each.iid: each.name for each in data.debug_annotation_names}


def read_trace(path: Path) -> Shown:
    return _Reader().read(path.read_bytes())


class _Reader:
    def __init__(self) -> None:
        self.shown = Shown()
        self.paths: dict[int, str] = {}
        self.descriptors: dict[int, Any] = {}
        self.open: dict[int, list[Slice]] = {}
        self.sequences: dict[int, Sequence] = {}

    def read(self, data: bytes) -> Shown:
        trace = pb.Trace()
        trace.ParseFromString(data)
        assert trace.ByteSize() == len(data), "each varint is as short as it can be"
        for packet in trace.packet:
            if packet.HasField("trace_attributes"):
                attributes = packet.trace_attributes.attribute
                self.shown.facts |= {each.key: each.string_value for each in attributes}
            elif packet.HasField("track_descriptor"):
                self._describe(packet.track_descriptor)
            elif packet.HasField("interned_data"):
                sequence = packet.trusted_packet_sequence_id
                self.sequences.setdefault(sequence, Sequence()).take_names(packet)
            else:
                self._event(packet)
        return self.shown

    def _describe(self, track: Any) -> None:
        assert track.uuid not in self.descriptors
        assert track.uuid != 0, "0 is the trace's own track"
        assert not track.parent_uuid or track.parent_uuid in self.descriptors
        name = track.name or track.thread.thread_name or track.process.process_name
        parent = self.paths.get(track.parent_uuid)
        self.paths[track.uuid] = name if parent is None else f"{parent} / {name}"
        self.descriptors[track.uuid] = track
        self.shown.descriptors += 1
        self.shown.tracks[self.paths[track.uuid]] = track

    def _event(self, packet: Any) -> None:
        sequence = self.sequences[packet.trusted_packet_sequence_id]
        assert packet.sequence_flags == pb.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        assert packet.timestamp >= sequence.time, "times of a sequence do not go back"
        sequence.time = packet.timestamp
        self.shown.events += 1
        event = packet.track_event
        is_counter = self.descriptors[event.track_uuid].HasField("counter")
        assert is_counter == (event.type == pb.TrackEvent.TYPE_COUNTER)
        if event.type == pb.TrackEvent.TYPE_SLICE_END:
            self.open[event.track_uuid].pop().end = packet.timestamp
            return
        assert [sequence.categories[iid] for iid in event.category_iids]
        self._begin(event, sequence, packet.timestamp)

    def _begin(self, event: Any, sequence: Sequence, time: int) -> None:
        path = self.paths[event.track_uuid]
        details = {
            sequence.details[each.name_iid]: getattr(each, each.WhichOneof("value"))
            for each in event.debug_annotations
        }
        if event.type == pb.TrackEvent.TYPE_COUNTER:
            self.shown.counters.setdefault(path, []).append((time, event.counter_value))
        elif event.type == pb.TrackEvent.TYPE_INSTANT:
            name = sequence.names[event.name_iid]
            self.shown.instants.append(Instant(path, name, time, details))
        else:
            assert event.type == pb.TrackEvent.TYPE_SLICE_BEGIN
            stack = self.open.setdefault(event.track_uuid, [])
            assert not stack, "slices of a track are one after the other"
            stack.append(Slice(path, sequence.names[event.name_iid], time, None, details))
            self.shown.slices.append(stack[-1])
