"""The columns of a comparison: which counters are shown, in which groups, and how.

An explicit list. Columns that are not `always` shown appear where a strategy has something in them;
the groups say which they left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from spetrace.report.units import render_count, render_size, render_time
from spetrace.tables.results import COUNTERS

Counters = Mapping[str, int]
"""Counter name to value, of one strategy and VM (or the total), with the derived ones below."""

LOST = ("lost_fault", "lost_blackout", "lost_stopped", "lost_full")
_DERIVED: dict[str, tuple[str, str | None]] = {
    "lost": (f"records that were never written: {', '.join(LOST)}", "records"),
    "pinned_bytes_mean": ("pinned memory on average over the session", "bytes"),
}


@dataclass(frozen=True)
class Figure:
    """One column: the counter it shows and how."""

    counter: str
    heading: str
    """Its lines are separated by newlines."""
    always: bool = True
    share: bool = False
    """Shows the counter as a percentage of all records."""
    exact: bool = False
    """Shows the integer itself, whatever its unit."""
    stage2: bool = True
    """Says nothing about a strategy that has no stage 2."""

    @property
    def doc(self) -> str:
        """What the column holds."""
        doc = _declared(self.counter)[0]
        return f"{doc}, in percent of all records" if self.share else doc

    @property
    def unit(self) -> str | None:
        """Unit of the exact value."""
        return _declared(self.counter)[1]

    @property
    def render(self) -> Callable[[int], str]:
        """Value to text (shares apart)."""
        if self.exact:
            return render_count
        return {"ns": render_time, "bytes": render_size}.get(self.unit or "", render_count)


@dataclass(frozen=True)
class FigureGroup:
    """Columns that are read together."""

    title: str
    figures: tuple[Figure, ...]


def with_derived(counters: Counters, span_ns: int) -> dict[str, int]:
    """The counters, and those that are made from them."""
    mean = counters["pinned_byte_ns"] // span_ns if span_ns > 0 else counters["pinned_bytes_end"]
    return {
        **counters,
        "lost": sum(counters[name] for name in LOST),
        "pinned_bytes_mean": mean,
    }


def derived_units() -> dict[str, str | None]:
    """The unit of each counter that `with_derived` adds."""
    return {name: unit for name, (_, unit) in _DERIVED.items()}


def _declared(counter: str) -> tuple[str, str | None]:
    return COUNTERS.get(counter) or _DERIVED[counter]


def _and_share(figure: Figure) -> tuple[Figure, Figure]:
    return figure, replace(figure, heading="%", share=True)


def _outcome(counter: str, heading: str, always: bool = True) -> tuple[Figure, Figure]:
    return _and_share(Figure(counter, heading, always, stage2=False))


GROUPS = (
    FigureGroup(
        "Records",
        (
            *_outcome("captured", "captured"),
            *_outcome("discarded", "discarded"),
            *_outcome("lost", "lost"),
            *_outcome("not_profiled", "not\nprofiled", always=False),
        ),
    ),
    FigureGroup(
        "Why records were lost",
        (
            Figure("lost_fault", "own write\nfaulted", False, stage2=False),
            Figure("lost_blackout", "in a\nblackout", False),
            Figure("lost_stopped", "while\nstopped", False, stage2=False),
            Figure("lost_full", "buffer\nfull", False, stage2=False),
            Figure("stage1_faults", "stage-1\nfaults", False, stage2=False),
        ),
    ),
    FigureGroup(
        "Faults",
        (
            Figure("stage2_faults", "stage-2\nfaults"),
            Figure("stage2_faults_on_walk", "on a\nwalk", False),
            Figure("aborts_injected", "aborts\ninjected"),
            Figure("blackouts", "blackouts"),
            Figure("blackout_ns", "blackout\ntime"),
            Figure("stopped_ns", "stopped\ntime"),
        ),
    ),
    FigureGroup(
        "Overhead",
        (
            Figure("overhead_ns", "overhead"),
            Figure("setup_ns", "setup"),
            Figure("sysreg_traps", "register\ntraps", False),
            Figure("eret_traps", "ERET\ntraps", False),
            Figure("eret_traps_useless", "useless\nof them", False),
            Figure("stage1_walks", "pages\nwalked", False),
            Figure("stage1_walk_failures", "walks\nfailed", False),
            Figure("bytes_copied", "copied", False),
        ),
    ),
    FigureGroup(
        "Pinned memory",
        (
            Figure("pins", "pins"),
            Figure("pinned_bytes_peak", "peak"),
            Figure("pinned_bytes_peak", "peak\nbytes", exact=True),
            Figure("pinned_bytes_mean", "mean"),
            Figure("memlock_failures", "memlock\nfailures"),
        ),
    ),
    FigureGroup(
        "What became of pins",
        (
            Figure("unpins", "unpins", False),
            Figure("pinned_bytes_end", "at the\nend", False),
            Figure("oversize_buffers", "oversize\nbuffers", False),
            Figure("unmaps_refused", "unmaps\nrefused", False),
            Figure("forced_unpins", "forced\nunpins", False),
            Figure("pins_write_protected", "write\nprotected", False),
        ),
    ),
)

OVERVIEW = FigureGroup(
    "Overview",
    (
        *_outcome("captured", "captured"),
        *_outcome("lost", "lost"),
        *_outcome("discarded", "discarded", always=False),
        Figure("pinned_bytes_peak", "pinned\npeak"),
        Figure("pinned_bytes_mean", "pinned\nmean"),
        Figure("overhead_ns", "overhead"),
        Figure("setup_ns", "setup", False),
        Figure("blackouts", "blackouts"),
        Figure("blackout_ns", "blackout\ntime"),
        Figure("aborts_injected", "aborts\ninjected", False),
        Figure("stopped_ns", "stopped\ntime", False),
        Figure("memlock_failures", "memlock\nfailures", False),
    ),
)
"""The columns that a choice of strategy is made by; all are in GROUPS, too."""
