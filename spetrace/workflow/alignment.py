"""From files to a proposed clock offset, and from that to session.toml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spetrace.errors import InputError, NothingToReplayError
from spetrace.report.atomic import write_text
from spetrace.report.units import render_time
from spetrace.report.wording import count_of
from spetrace.session.alignment_proposal import (
    STRUCTURE,
    AlignmentProposal,
    propose_alignment,
)
from spetrace.session.choices import Choices
from spetrace.session.offset_search import OffsetRange
from spetrace.session.session_toml import SessionToml, parse_session_toml, read_session_toml
from spetrace.session.side_file import read_side_file
from spetrace.session.toml_edit import with_integer, with_table
from spetrace.workflow.pipeline import Step, read_all, silent

_KEY = "clock_offset_ns"
_VM = "vm"


def align_files(
    host: Path,
    guests: Sequence[Path],
    counter_hz: int | None = None,
    vm: int | None = None,
    step: Step = silent,
    *,
    session_toml: Path | None = None,
) -> AlignmentProposal:
    """The offset of the guest's recordings to the host's; raises as `propose_alignment`.

    A `session_toml` that is there says which threads are one VM, and the rate of a clock of ticks.
    """
    said = SessionToml()
    if session_toml is not None and session_toml.exists():
        said = read_session_toml(session_toml)
    recordings = read_all([host, *guests], step)
    step("aligning")
    processes = Choices(vms=said.vm).processes
    rate = counter_hz or said.counter_hz
    return propose_alignment(recordings[0], recordings[1:], rate, vm, processes)


def render_proposal(proposal: AlignmentProposal) -> str:
    """The offset as session.toml says it, with what it rests on as comments.

    That is a line for all VMs where there is one, else in the VM's [[vm]]. It is a comment, too,
    where another offset would be as good.
    """
    found = proposal.found
    share = _percent(found.agreeing, found)
    where = [f"[[{_VM}]]", f"vm = {proposal.vm}"] if _has_several_vms(proposal) else []
    setting = [*where, f"{_KEY} = {found.middle}"]
    lines = [
        *(line if found.is_clear else f"# {line}" for line in setting),
        f"# +- {found.uncertainty} ns ({render_time(found.uncertainty)})",
        f"# {found.agreeing:,} of {count_of(found.events, 'guest event')} ({share}) lie in guest "
        f"time of VM {proposal.vm} then; by chance {100 * found.by_chance:.2f} % would",
        f"# host: {proposal.host_clock}; guest: {proposal.guest_clock}",
    ]
    if found.next_offset is not None:
        others = f"{found.next_agreeing:,} ({_percent(found.next_agreeing, found)})"
        lines.append(f"# next best: {found.next_offset}, with {others}")
    if proposal.other_cpus:
        lines.append(f"# left out: {proposal.other_cpus:,} on CPUs that are no recorded vCPU's")
    return "\n".join(lines)


def _percent(events: int, found: OffsetRange) -> str:
    return f"{100 * events / found.events:.2f} %"


def _has_several_vms(proposal: AlignmentProposal) -> bool:
    return len(proposal.machines.vms) > 1


def check_proposal(proposal: AlignmentProposal) -> None:
    """Raise NothingToReplayError where another offset would be as good."""
    if not proposal.found.is_clear:
        cause = (
            "no offset stands out: the recordings are not of one time, the guest recorded too few "
            "events, or it was hardly ever interrupted"
        )
        raise NothingToReplayError(f"{STRUCTURE}: {cause}")


def write_offset(path: Path, proposal: AlignmentProposal) -> None:
    """Set clock_offset_ns in a session.toml, made where it is missing: for all VMs where the host's
    recording has one, else in the [[vm]] of that which was aligned.

    Raises InputError for one that can't be read or changed, OutputError where it can't be written.
    """
    source = read_side_file(path, path.name) if path.exists() else ""
    try:
        edited = _with_offset(source, proposal, path.name)
    except InputError as error:
        raise error.in_file(str(path)) from error
    write_text(edited, path)


def _with_offset(source: str, proposal: AlignmentProposal, name: str) -> str:
    tables = parse_session_toml(source).vm
    own = Choices(vms=tables).by_vm(proposal.machines).get(proposal.vm)
    offset = proposal.found.middle
    if _has_several_vms(proposal) and own is None:
        return with_table(source, _VM, {"vm": proposal.vm, _KEY: offset}, name)
    if own is not None and (_has_several_vms(proposal) or own.clock_offset_ns is not None):
        place = next(n for n, table in enumerate(tables) if table is own)
        return with_integer(source, (_VM, place, _KEY), offset, name)
    return with_integer(source, (_KEY,), offset, name)
