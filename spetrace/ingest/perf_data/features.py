"""Feature sections: what perf noted about the machine, the command and the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.abi import KNOWN_FEATURES, Feature
from spetrace.ingest.perf_data.attrs import Ids, parse_ids
from spetrace.ingest.perf_data.header import Header, Section
from spetrace.quality import Quality

_SECTION_BYTES = 16
_LONGEST_STRING = 1 << 20


@dataclass(frozen=True)
class EventDescription:
    """An event's name and ids, from EVENT_DESC."""

    name: str
    ids: Ids


@dataclass
class Features:
    """What the feature sections that were read hold; None or empty where there was none."""

    hostname: str | None = None
    os_release: str | None = None
    perf_version: str | None = None
    arch: str | None = None
    nr_cpus: tuple[int, int] | None = None
    """Available and online CPUs."""
    cpu_description: str | None = None
    cpuid: str | None = None
    total_memory_kib: int | None = None
    cmdline: list[str] = field(default_factory=list)
    event_descriptions: list[EventDescription] = field(default_factory=list)
    pmu_mappings: dict[int, str] = field(default_factory=dict)
    """PMU names by `perf_event_attr.type`."""
    sample_time_ns: tuple[int, int] | None = None
    """First and last sample time; both 0 where perf did not know."""
    compression_level: int | None = None
    build_ids: memoryview | None = None
    """The section BUILD_ID: records, not parsed."""
    tracing_data: memoryview | None = None
    """The section TRACING_DATA, or what follows HEADER_TRACING_DATA: not parsed."""
    unknown: int = 0
    """Sections of bits that have no known meaning."""

    def parse(self, feature: int, cursor: Cursor) -> None:
        """Parse the section of one feature bit into its field; a bit that is not read is skipped.

        An empty section tells nothing; in pipe mode one of the first bit that the recorder does not
        know ends the features. Raises InputError where the section ends early.
        """
        if not cursor.left:
            return
        if feature in _PARSERS:
            name, parser = _PARSERS[Feature(feature)]
            setattr(self, name, parser(cursor))
        self.unknown += feature not in KNOWN_FEATURES


def read_features(data: memoryview, header: Header, quality: Quality) -> Features:
    """Read the feature sections of a file; those that are cut or damaged are counted."""
    features = Features()
    for feature, section in _iter_sections(data, header, quality):
        cursor = Cursor(data, "feature", section.offset, section.end, header.order)
        try:
            features.parse(feature, cursor)
        except InputError as error:
            quality.add("perf_damaged_records", 1, f"feature {feature}: {error}")
    return features


def _iter_sections(
    data: memoryview, header: Header, quality: Quality
) -> Iterator[tuple[int, Section]]:
    """The sections of the table after the data; a killed recording has none."""
    if header.killed or not header.features:
        return
    table_end = header.data.end + _SECTION_BYTES * len(header.features)
    if table_end > len(data):
        missing = table_end - max(header.data.end, len(data))
        quality.add("file_truncated_bytes", missing, "feature table")
        return
    table = Cursor(data, "feature table", header.data.end, table_end, header.order)
    for feature in header.features:
        section = Section.announced(*table.unpack("QQ"))
        if section.end <= len(data):
            yield feature, section
        else:
            missing = section.end - max(section.offset, len(data))
            quality.add("file_truncated_bytes", missing, f"feature {feature}")


def _string(cursor: Cursor) -> str:
    text = bytes(cursor.take(cursor.u32())[:_LONGEST_STRING])
    return text.split(b"\0", 1)[0].decode("utf-8", "replace")


def _strings(cursor: Cursor) -> list[str]:
    return [_string(cursor) for _ in range(cursor.u32())]


def _everything(cursor: Cursor) -> memoryview:
    return cursor.take(cursor.left)


def _u64(cursor: Cursor) -> int:
    return cursor.u64()


def _two_u32(cursor: Cursor) -> tuple[int, ...]:
    return cursor.unpack("II")


def _two_u64(cursor: Cursor) -> tuple[int, ...]:
    return cursor.unpack("QQ")


def _event_descriptions(cursor: Cursor) -> list[EventDescription]:
    count, attr_bytes = cursor.unpack("II")
    return [_event_description(cursor, attr_bytes) for _ in range(count)]


def _event_description(cursor: Cursor, attr_bytes: int) -> EventDescription:
    cursor.take(attr_bytes)
    nr_ids = cursor.u32()
    name = _string(cursor)
    return EventDescription(name, parse_ids(cursor.take(8 * nr_ids), cursor.order))


def _pmu_mappings(cursor: Cursor) -> dict[int, str]:
    pairs = [(cursor.u32(), _string(cursor)) for _ in range(cursor.u32())]
    return dict(pairs)


def _compression_level(cursor: Cursor) -> int:
    _, _, level = cursor.unpack("III")
    return level


_PARSERS: dict[Feature, tuple[str, Callable[[Cursor], Any]]] = {
    Feature.TRACING_DATA: ("tracing_data", _everything),
    Feature.BUILD_ID: ("build_ids", _everything),
    Feature.HOSTNAME: ("hostname", _string),
    Feature.OSRELEASE: ("os_release", _string),
    Feature.VERSION: ("perf_version", _string),
    Feature.ARCH: ("arch", _string),
    Feature.NRCPUS: ("nr_cpus", _two_u32),
    Feature.CPUDESC: ("cpu_description", _string),
    Feature.CPUID: ("cpuid", _string),
    Feature.TOTAL_MEM: ("total_memory_kib", _u64),
    Feature.CMDLINE: ("cmdline", _strings),
    Feature.EVENT_DESC: ("event_descriptions", _event_descriptions),
    Feature.PMU_MAPPINGS: ("pmu_mappings", _pmu_mappings),
    Feature.SAMPLE_TIME: ("sample_time_ns", _two_u64),
    Feature.COMPRESSED: ("compression_level", _compression_level),
}
