"""What a recording lost or holds that is odd: named counters with a severity and a remedy.

Every counter is declared once, below. Importers and the session count into a `Quality`; reports show
it above every result and `quality.parquet` keeps it beside the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How far a counter affects what can be concluded from the tables."""

    INFO = "info"
    WARNING = "warning"
    DATA_LOSS = "data_loss"


@dataclass(frozen=True)
class Counter:
    """One named kind of loss or oddity."""

    name: str
    severity: Severity
    doc: str
    remedy: str


def _declare(*rows: tuple[str, Severity, str, str]) -> dict[str, Counter]:
    return {row[0]: Counter(*row) for row in rows}


_INFO, _WARN, _LOSS = Severity.INFO, Severity.WARNING, Severity.DATA_LOSS

COUNTERS = _declare(
    # perf.data and SPE
    (
        "aux_truncated",
        _LOSS,
        "AUX records flagged TRUNCATED: the buffer was full or a record lost",
        "record with a larger AUX area (perf record -m ,N) or a longer period",
    ),
    (
        "aux_partial",
        _LOSS,
        "AUX records flagged PARTIAL: their last record is cut",
        "record with a larger AUX area (perf record -m ,N)",
    ),
    (
        "aux_collision",
        _LOSS,
        "AUX records flagged COLLISION: operations were sampled too often",
        "record with a longer period (perf record -c N)",
    ),
    (
        "aux_gap_bytes",
        _LOSS,
        "bytes of AUX data that AUX records announce and the file does not hold",
        "let perf write to a faster disk, or record less at a time",
    ),
    (
        "spe_bad_packets",
        _LOSS,
        "bytes in SPE data that start no packet, and operation packets of the unassigned class",
        "check that the file is whole",
    ),
    (
        "spe_cut_records",
        _LOSS,
        "SPE records cut by the end of a chunk or by a bad packet",
        "none: the record's rest was never written",
    ),
    (
        "spe_records_without_time",
        _WARN,
        "SPE records without a timestamp packet; their time is null",
        "record with ts_enable=1",
    ),
    (
        "clock_mismatch",
        _WARN,
        "SPE recordings whose AUX records, threads and mappings have times of another clock "
        "(perf record -k) than their SPE records",
        "record without -k: perf's own clock is that of SPE",
    ),
    (
        "perf_unknown_records",
        _INFO,
        "perf.data records of a type that is not read; skipped",
        "none needed",
    ),
    (
        "perf_unknown_features",
        _INFO,
        "perf.data feature sections of a kind that is not known; skipped",
        "none needed",
    ),
    (
        "perf_lost_events",
        _LOSS,
        "events that perf itself reports as lost (LOST, LOST_SAMPLES)",
        "record with larger buffers (perf record -m N)",
    ),
    (
        "perf_damaged_records",
        _LOSS,
        "perf.data records whose content contradicts their size; skipped",
        "check that the file is whole",
    ),
    (
        "perf_undecoded_samples",
        _LOSS,
        "samples of tracepoints whose format the perf.data does not hold; not decoded",
        "stop perf record with SIGINT: it writes the formats when it ends",
    ),
    # trace.dat and ftrace
    (
        "trace_lost_events",
        _LOSS,
        "events that the ring buffer reports as lost",
        "record with larger buffers (trace-cmd record -b KB)",
    ),
    (
        "trace_lost_unknown",
        _LOSS,
        "places where the ring buffer lost events and does not say how many",
        "record with larger buffers (trace-cmd record -b KB)",
    ),
    (
        "trace_overrun_events",
        _LOSS,
        "events overwritten before they were read (per_cpu stats: overrun)",
        "record with larger buffers (trace-cmd record -b KB)",
    ),
    (
        "trace_unknown_events",
        _INFO,
        "events whose id has no format in the file; not decoded",
        "none needed unless one of them matters",
    ),
    (
        "trace_damaged_pages",
        _LOSS,
        "ring-buffer pages that contradict themselves; their rest is skipped",
        "check that the file is whole",
    ),
    (
        "trace_damaged_sections",
        _LOSS,
        "sections, options and compressed chunks of a trace.dat that are damaged; left out",
        "check that the file is whole",
    ),
    (
        "trace_damaged_fields",
        _WARN,
        "event fields that reach past their record; null",
        "check that the file is whole",
    ),
    (
        "text_unparsed_lines",
        _WARN,
        "lines of a text log that fit no known event; skipped",
        "use a binary trace.dat, which has no such lines",
    ),
    (
        "perf_script_without_guest",
        _WARN,
        "KVM events of a perf script text that holds fewer guest entries and exits than they need: "
        "perf script leaves out what was sampled while a guest ran",
        "give spetrace the perf.data, or use perf script --guest-code",
    ),
    (
        "text_times_without_clock",
        _WARN,
        "events of a text whose times count from its start and are no clock's",
        "print it without latency-format, --reltime and --deltatime to put it beside others",
    ),
    (
        "text_events_without_thread",
        _WARN,
        "events of a text that tells no thread; their vCPU is unknown",
        "print it with perf script -F +tid",
    ),
    (
        "text_side_band_lines",
        _INFO,
        "lines of a perf script text that are perf's own records (PERF_RECORD_...); skipped",
        "none needed",
    ),
    (
        "file_truncated_bytes",
        _LOSS,
        "bytes that the file's own headers announce and the file lacks",
        "the recorder was killed: record again and stop it with SIGINT",
    ),
    # session
    (
        "unplaced_unmaps",
        _LOSS,
        "unmaps by host address of VMs whose memslots are unknown; left out",
        "record the memslot probe (spetrace recipe), or give memslots in session.toml or --vmm-maps",
    ),
    (
        "spe_records_outside_aux",
        _LOSS,
        "SPE records that start in no PERF_RECORD_AUX; left out of the event log",
        "let perf lose no events: record with larger buffers (perf record -m N)",
    ),
    (
        "unknown_pgt_events",
        _WARN,
        "stage-2 probe events of a page table that no vCPU was seen using",
        "start recording before the VM starts",
    ),
    (
        "set_spte_without_table",
        _INFO,
        "stage-2 maps by a notifier where no table stands: they fail in KVM",
        "none needed",
    ),
    (
        "unplaced_memslots",
        _WARN,
        "memslot changes that belong to no VM of the session",
        "give memslots in session.toml",
    ),
    (
        "clock_spans_disjoint",
        _WARN,
        "guest and host recordings that do not overlap in time",
        "give --clock-offset (spetrace align proposes one), or record both at the same time",
    ),
    (
        "mapped_events_left_out",
        _WARN,
        "events that --event-map names and whose fields give no event; left out",
        "check the map's fields and values, or leave them out by `where`",
    ),
    (
        "events_out_of_order",
        _INFO,
        "events of an event log that were not in time order; sorted",
        "none needed",
    ),
)


@dataclass
class Quality:
    """The counters of one input or session: counter name to count, with details for people."""

    counts: dict[str, int] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, count: int = 1, detail: str | None = None) -> None:
        """Count `count` more of the declared counter `name` (none for 0)."""
        if name not in COUNTERS:
            raise KeyError(name)
        if count:
            self.counts[name] = self.counts.get(name, 0) + count
            if detail:
                self.details[name] = detail

    def merge(self, other: Quality) -> None:
        """Add all of `other`'s counts."""
        for name, count in other.counts.items():
            self.add(name, count, other.details.get(name))

    def __iter__(self) -> Iterator[tuple[Counter, int]]:
        for name in COUNTERS:
            if name in self.counts:
                yield COUNTERS[name], self.counts[name]
