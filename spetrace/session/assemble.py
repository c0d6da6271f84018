"""Recordings to one session: machines, clocks, stage 2, buffers, and the merged event log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spetrace.errors import NothingToReplayError
from spetrace.session.assembly import Assembly
from spetrace.session.costs import MEASURED
from spetrace.session.derived_tables import derive_tables, kvm_tables, tracepoint_tables
from spetrace.session.event_logs import merge_logs, merge_parameters, table_of
from spetrace.session.input_names import names_inputs
from spetrace.session.options import SessionOptions
from spetrace.session.placements import Placements, buffer_placements
from spetrace.session.summary import (
    describe_clocks,
    describe_inputs,
    describe_machines,
    what_was_found,
)
from spetrace.tables.events import EVENTS
from spetrace.tables.recording import Recording
from spetrace.tables.session import Session


@names_inputs
def assemble(
    recordings: Sequence[Recording], options: SessionOptions, *, hold_events: bool = True
) -> Session:
    """Put `recordings` on one clock and merge them into one event log.

    Without `hold_events` the log is left to be made while it is read (`Session.iter_events`).

    Event logs among them are taken as they are and merged with what the others give by time, their
    events before the others' of the same time; their VM n is VM n of the session. Raises
    NothingToReplayError when the recordings hold no SPE data, none is assumed, and no event log is
    among them (the message says what was found), InputError for a session.toml or a
    /proc/PID/maps that can't be read, UsageError for a choice out of range.
    """
    session = _replayable(Assembly(recordings, options, is_held=hold_events), options)
    if hold_events and not len(session.events):
        session.events = table_of(session.event_batches)
    return session


@names_inputs
def assemble_placements(
    recordings: Sequence[Recording], options: SessionOptions, seeds: Sequence[int]
) -> tuple[Session, Placements]:
    """The session of `assemble` with its buffers scattered by the first of `seeds`, and where the
    other seeds put them. Its event log is left to be made while it is read.
    """
    scattered = replace(options, placement="scattered", placement_seed=seeds[0])
    assembly = Assembly(recordings, scattered)
    session = _replayable(assembly, scattered)
    return session, buffer_placements(assembly, seeds)


def _replayable(assembly: Assembly, options: SessionOptions) -> Session:
    if not assembly.is_replayable:
        assumed = assembly.choices.assume_spe is not None
        found = what_was_found(assembly.recordings, assembly.machines, assumed=assumed)
        raise NothingToReplayError(found)
    session = _session(assembly)
    if options.costs == MEASURED:
        session.tables = kvm_tables(assembly)
    return session


@names_inputs
def assemble_streamed(recordings: Sequence[Recording], options: SessionOptions) -> Session:
    """The session of `assemble` with its derived tables and tracepoints, for people and pipelines.

    Its event log are batches that are made while it is read; none where there is nothing to replay.
    Raises as `assemble` does but for that.
    """
    assembly = Assembly(recordings, options)
    session = _session(assembly)
    session.tables = derive_tables(assembly)
    session.tracepoints = tracepoint_tables(assembly)
    return session


@names_inputs
def assemble_kvm_tables(recordings: Sequence[Recording], options: SessionOptions) -> Session:
    """The session's tables kvm_exits and stage2_faults alone, without an event log."""
    assembly = Assembly(recordings, options)
    return Session(
        inputs=describe_inputs(recordings),
        events=EVENTS.empty(),
        tables=kvm_tables(assembly),
        assumptions=assembly.assumptions.made,
    )


def _session(assembly: Assembly) -> Session:
    recordings = assembly.recordings
    parameters = merge_parameters(recordings, assembly.parameters, assembly.choices.parameters)
    captured = assembly.event_batches() if assembly.is_replayable else iter(())
    events, batches = merge_logs(recordings, captured)
    return Session(
        inputs=describe_inputs(recordings),
        events=events,
        event_batches=batches,
        parameters=parameters,
        assumptions=assembly.assumptions.made,
        quality=[
            *((source, r.quality) for source, r in enumerate(recordings)),
            (None, assembly.quality),
        ],
        machines=describe_machines(assembly.machines, assembly.stage2, assembly.rams),
        clocks=describe_clocks(recordings, assembly.clocks, assembly.alignments),
    )
