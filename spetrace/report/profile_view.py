"""What a profile's report holds, computed once; formats only draw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum

from spetrace.report.basis import (
    AssumptionLine,
    InputLine,
    LossLine,
    assumption_lines,
    input_lines,
    loss_lines,
)
from spetrace.report.profile_measures import (
    branches_section,
    caches_section,
    cpus_section,
    data_sources_section,
    latencies_section,
    operations_section,
    tlb_section,
)
from spetrace.report.profile_places import (
    functions_section,
    mispredicted_section,
    pages_section,
    pcs_section,
)
from spetrace.report.profile_section import Section, share, without_empty
from spetrace.report.units import render_time
from spetrace.report.wording import count_of, printable
from spetrace.tables.profile import Profile
from spetrace.tables.run import Run


class Ranking(StrEnum):
    """What samples are ranked by."""

    FUNCTION = "function"
    PC = "pc"
    PAGE = "page"


@dataclass(frozen=True)
class ProfileView:
    """A report's content in the order in which it is shown."""

    title: str
    cautions: tuple[str, ...]
    """How much the gaps are, before all else; the losses stand next."""
    losses: tuple[LossLine, ...]
    sections: tuple[Section, ...]
    assumptions: tuple[AssumptionLine, ...]
    inputs: tuple[InputLine, ...]
    choices: tuple[tuple[str, str], ...]


def view_profile(
    profile: Profile, top: int, rankings: Collection[Ranking] = tuple(Ranking)
) -> ProfileView:
    """All that a report on `profile` shows, with `top` rows of the `rankings`."""
    facts = {"inputs": profile.inputs, "assumptions": [asdict(a) for a in profile.assumptions]}
    losses = loss_lines(Run(quality=profile.quality, session=facts))
    return ProfileView(
        title=_title(profile),
        cautions=_gap_caution(profile),
        losses=losses,
        sections=_sections(profile, top, rankings),
        assumptions=assumption_lines(facts),
        inputs=input_lines(facts),
        choices=tuple((name, printable(value)) for name, value in profile.choices.items()),
    )


def _sections(profile: Profile, top: int, rankings: Collection[Ranking]) -> tuple[Section, ...]:
    ranked = {
        Ranking.FUNCTION: functions_section,
        Ranking.PC: pcs_section,
        Ranking.PAGE: pages_section,
    }
    return without_empty(
        [
            *(make(profile, top) for ranking, make in ranked.items() if ranking in rankings),
            operations_section(profile),
            data_sources_section(profile),
            latencies_section(profile),
            branches_section(profile),
            mispredicted_section(profile, top),
            tlb_section(profile),
            caches_section(profile),
            cpus_section(profile),
        ]
    )


def _title(profile: Profile) -> str:
    parts = [count_of(profile.samples, "sample")]
    cpus = {row["cpu"] for row in profile.cpus.to_pylist()} - {None}
    if cpus:
        parts.append(count_of(len(cpus), "CPU"))
    if profile.span_ns:
        parts.append(render_time(profile.span_ns[1] - profile.span_ns[0]))
    return ", ".join(parts)


def _gap_caution(profile: Profile) -> tuple[str, ...]:
    """What the gaps took from the recording, where there are any."""
    rows = profile.cpus.to_pylist()
    gaps = sum(row["gaps"] for row in rows)
    if not gaps:
        return ()
    time = sum(row["gap_ns"] for row in rows)
    whole = len(rows) * (profile.span_ns[1] - profile.span_ns[0] if profile.span_ns else 0)
    lost = [
        row["records_lost_estimate"] for row in rows if row["records_lost_estimate"] is not None
    ]
    estimate = f"; about {count_of(sum(lost), 'sample')} lost in them" if lost else ""
    return (
        f"{count_of(gaps, 'gap')} of {render_time(time)} in all ({share(min(time, whole), whole)} % of the "
        f"AUX streams' time){estimate}.",
    )
