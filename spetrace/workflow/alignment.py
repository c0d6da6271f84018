"""From files to a proposed clock offset, and from that to session.toml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spetrace.errors import InputError
from spetrace.report.atomic import write_text
from spetrace.report.units import render_time
from spetrace.report.wording import count_of
from spetrace.session.alignment_proposal import (
    STRUCTURE,
    AlignmentProposal,
    propose_alignment,
)
from spetrace.session.session_toml import parse_session_toml
from spetrace.session.side_file import read_side_file
from spetrace.session.toml_edit import with_integer
from spetrace.workflow.pipeline import Step, read_all, silent

_KEY = "clock_offset_ns"


def align_files(
    host: Path,
    guests: Sequence[Path],
    counter_hz: int | None = None,
    vm: int | None = None,
    step: Step = silent,
) -> AlignmentProposal:
    """The offset of the guest's recordings to the host's; raises as `propose_alignment`."""
    recordings = read_all([host, *guests], step)
    step("aligning")
    return propose_alignment(recordings[0], recordings[1:], counter_hz, vm)


def render_proposal(proposal: AlignmentProposal) -> str:
    """The offset as a line of session.toml, with what it rests on as comments.

    The line is a comment, too, where another offset would be as good.
    """
    found = proposal.found
    share = f"{100 * found.agreeing / found.events:.2f} %"
    lines = [
        f"{'' if found.is_clear else '# '}{_KEY} = {found.middle}",
        f"# +- {found.uncertainty} ns ({render_time(found.uncertainty)})",
        f"# {found.agreeing:,} of {count_of(found.events, 'guest event')} ({share}) lie in guest "
        f"time of VM {proposal.vm} then; by chance {100 * found.by_chance:.2f} % would",
        f"# host: {proposal.host_clock}; guest: {proposal.guest_clock}",
    ]
    if found.next_share:
        lines.append(f"# next best: {found.next_offset}, with {100 * found.next_share:.2f} %")
    if proposal.other_cpus:
        lines.append(f"# left out: {proposal.other_cpus:,} on CPUs that are no recorded vCPU's")
    return "\n".join(lines)


def check_proposal(proposal: AlignmentProposal) -> None:
    """Raise InputError where another offset would be as good."""
    if not proposal.found.is_clear:
        cause = (
            "no offset stands out: the recordings are not of one time, the guest recorded too few "
            "events, or it was hardly ever interrupted"
        )
        raise InputError(STRUCTURE, cause)


def write_offset(path: Path, proposal: AlignmentProposal) -> None:
    """Set clock_offset_ns in a session.toml, made where it is missing.

    Raises InputError for one that can't be read or changed, OutputError where it can't be written.
    """
    source = read_side_file(path, path.name) if path.exists() else ""
    try:
        parse_session_toml(source)
        edited = with_integer(source, _KEY, proposal.found.middle, path.name)
    except InputError as error:
        raise error.in_file(str(path)) from error
    write_text(edited, path)
