"""Perfetto's packets: the only module that knows the package `perfetto`.

What there is few of (tracks, names, facts) is made as the package's messages. What there may be
millions of (events) is encoded by columns, with the field numbers of the same messages
(protos/perfetto/trace/track_event/track_event.proto).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from spetrace.export.tracks import Annotation, Form, Kind, Marks, Places, Track
from spetrace.export.wire import Cells, integer_field, message_field, side_by_side

SLICE_BEGIN: Final = int(pb.TrackEvent.TYPE_SLICE_BEGIN)
SLICE_END: Final = int(pb.TrackEvent.TYPE_SLICE_END)
INSTANT: Final = int(pb.TrackEvent.TYPE_INSTANT)
COUNTER: Final = int(pb.TrackEvent.TYPE_COUNTER)
_Attributes: Final = pb.TraceAttributes
"""The newest message that is used: a package that lacks it is too old."""
_CATEGORY_ID: Final = 1
_VALUE_FIELDS: Final = {
    Form.ADDRESS: "pointer_value",
    Form.NUMBER: "int_value",
    Form.FLAG: "bool_value",
}


def facts_packet(facts: Mapping[str, str]) -> bytes:
    """Facts about the trace, as its attributes: viewers show them beside what they know of it."""
    attributes = _Attributes()
    for name, value in facts.items():
        attributes.attribute.add(key=_text(name), string_value=_text(value))
    return _framed(pb.TracePacket(trace_attributes=attributes))


def track_packet(track: Track, uuid: int, parent_uuid: int | None) -> bytes:
    """The descriptor of a track, its children in the order of their ranks."""
    packet = pb.TracePacket(trusted_packet_sequence_id=1)
    descriptor = packet.track_descriptor
    descriptor.uuid = uuid
    if parent_uuid is not None:
        descriptor.parent_uuid = parent_uuid
    name = _text(track.name)
    if track.tid is not None:
        descriptor.thread.pid, descriptor.thread.tid = track.pid or 0, track.tid
        descriptor.thread.thread_name = name
    elif track.pid is not None:
        descriptor.process.pid, descriptor.process.process_name = track.pid, name
    else:
        descriptor.name = name
    if track.unit is not None:
        _describe_counter(descriptor.counter, track.unit)
    if track.doc:
        descriptor.description = _text(track.doc)
    descriptor.child_ordering = pb.TrackDescriptor.EXPLICIT
    descriptor.sibling_order_rank = track.rank
    return _framed(packet)


def _describe_counter(counter: Any, unit: str) -> None:
    if unit == "bytes":
        counter.unit = pb.CounterDescriptor.UNIT_SIZE_BYTES
    else:
        counter.unit_name = unit


def names_packet(marks: Marks, sequence: int) -> bytes:
    """The first packet of a sequence: the strings that its events give by number."""
    packet = pb.TracePacket(
        trusted_packet_sequence_id=sequence,
        sequence_flags=pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED,
    )
    interned = packet.interned_data
    interned.event_categories.add(iid=_CATEGORY_ID, name=marks.category)
    for iid, name in enumerate(marks.names, 1):
        interned.event_names.add(iid=iid, name=_text(name))
    for iid, name in enumerate(marks.annotations, 1):
        interned.debug_annotation_names.add(iid=iid, name=name)
    return _framed(packet)


def event_packets(
    marks: Marks,
    rows: Places,
    types: npt.NDArray[np.uint64],
    times: npt.NDArray[np.uint64],
    uuids: Sequence[int],
    sequence: int,
) -> bytes:
    """An event for each of `rows`, of the type and time given; `uuids` are those of its tracks."""
    begins = types != SLICE_END
    of_track = np.asarray(uuids, np.uint64)[marks.track[rows]]
    category = _integer(pb.TrackEvent, "category_iids", _constant(rows, _CATEGORY_ID))
    event = [
        *_annotations(marks.annotations, rows, begins),
        _integer(pb.TrackEvent, "type", types),
        _integer(pb.TrackEvent, "track_uuid", of_track),
        category.where(begins),
    ]
    if len(marks.name):
        names = (marks.name[rows] + 1).astype(np.uint64)
        event.append(_integer(pb.TrackEvent, "name_iid", names).where(begins))
    if marks.kind is Kind.COUNTER:
        event.append(_integer(pb.TrackEvent, "counter_value", marks.values[rows]))
    needs_names = int(pb.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE)
    packet = [
        _integer(pb.TracePacket, "timestamp", times),
        _integer(pb.TracePacket, "trusted_packet_sequence_id", _constant(rows, sequence)),
        _message(pb.TracePacket, "track_event", side_by_side(event)),
        _integer(pb.TracePacket, "sequence_flags", _constant(rows, needs_names)),
    ]
    return _message(pb.Trace, "packet", side_by_side(packet)).joined()


def _annotations(
    annotations: Mapping[str, Annotation], rows: Places, begins: npt.NDArray[np.bool_]
) -> list[Cells]:
    cells = []
    for iid, annotation in enumerate(annotations.values(), 1):
        given = annotation.take(rows)
        body = [
            _integer(pb.DebugAnnotation, "name_iid", _constant(rows, iid)),
            _integer(pb.DebugAnnotation, _VALUE_FIELDS[given.form], given.values),
        ]
        message = _message(pb.TrackEvent, "debug_annotations", side_by_side(body))
        cells.append(message.where(given.present & begins))
    return cells


def _constant(rows: Places, value: int) -> npt.NDArray[np.uint64]:
    return np.full(len(rows), value, np.uint64)


def _integer(message: Any, field: str, values: npt.NDArray[Any]) -> Cells:
    return integer_field(message.DESCRIPTOR.fields_by_name[field].number, values)


def _message(message: Any, field: str, body: Cells) -> Cells:
    return message_field(message.DESCRIPTOR.fields_by_name[field].number, body)


def _framed(packet: Any) -> bytes:
    """The packet as a part of a trace: traces put one behind the other are one trace."""
    return bytes(pb.Trace(packet=[packet]).SerializeToString())


def _text(value: str) -> str:
    """`value` as protobuf takes it: file names may hold what is no character."""
    return value.encode("utf-8", "backslashreplace").decode()
