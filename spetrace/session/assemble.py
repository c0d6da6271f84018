"""Recordings to one session: machines, clocks, stage 2, buffers, and the merged event log."""

from __future__ import annotations

from collections.abc import Sequence

from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording
from spetrace.tables.session import Session


def assemble(recordings: Sequence[Recording], options: SessionOptions) -> Session:
    """Put `recordings` on one clock and merge them into one event log.

    Raises NothingToReplayError when they hold no SPE data, none is assumed, and no event log is
    among them (the message says what was found), InputError for a session.toml that can't be read.
    """
    raise NotImplementedError(recordings, options)
