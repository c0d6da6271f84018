"""The tables of `--check-inference`: stage 2 by tracepoints beside stage 2 by probes."""

from __future__ import annotations

from spetrace.report.profile_section import Heading, Section
from spetrace.report.units import render_count, render_time
from spetrace.tables.kvm_summary import InferenceCheck, InferenceWay

_WAY = Heading("told from", "probes, or tracepoints; infer-read-only: with that choice", True)
COUNTERS = {
    "captured": Heading("captured", "records in the buffer that the guest keeps"),
    "stage2_faults": Heading("stage-2\nfaults", "of the SPU, in the replay"),
    "discarded": Heading("dis-\ncarded", "records that were written and given up"),
    "lost": Heading("lost", "records that were never written"),
    "overhead_ns": Heading("over-\nhead", "what the cost model charges"),
}
"""Counters of the replays that are shown, of those that InferenceWay holds."""


def inference_sections(check: InferenceCheck) -> list[Section]:
    """Mapped pages, then the counters of replays, a table per strategy."""
    strategies = check.ways[0].counters
    return [_pages(check), *(_counters(check, strategy) for strategy in strategies)]


def _pages(check: InferenceCheck) -> Section:
    return Section(
        "Inference: mapped pages over time",
        (_WAY, Heading("pages", "mapped, on average over time"),
         Heading("off by", "mapped pages more or less than by the probes, on average over time"),
         Heading("at\nmost", "the largest difference"),
         Heading("writ-\nable", "pages, on average over time"),
         Heading("off by", "writable pages more or less than by the probes, on average over time"),
         Heading("at\nmost", "the largest difference"),
         Heading("re-\nfaults", "faults on pages unmapped since they were mapped")),
        tuple(_pages_row(way) for way in check.ways),
    )  # fmt: skip


def _pages_row(way: InferenceWay) -> tuple[str, ...]:
    state = way.state
    return (
        way.name, _pages_of(state.mean_pages), _pages_of(way.mapped_difference_mean),
        render_count(way.mapped_difference_max), _pages_of(state.mean_writable_pages),
        _pages_of(way.writable_difference_mean), render_count(way.writable_difference_max),
        render_count(way.refaults),
    )  # fmt: skip


def _pages_of(mean: float) -> str:
    return render_count(round(mean))


def _counters(check: InferenceCheck, strategy: str) -> Section:
    rows = (
        (way.name, *(_cell(name, way.counters[strategy][name]) for name in COUNTERS))
        for way in check.ways
        if strategy in way.counters
    )
    return Section(f"Inference: replay of {strategy}", (_WAY, *COUNTERS.values()), tuple(rows))


def _cell(name: str, value: int) -> str:
    return render_time(value) if name.endswith("_ns") else render_count(value)
