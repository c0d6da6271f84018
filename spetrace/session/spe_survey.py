"""One pass over a recording's SPE records: what its events and its gaps rest on."""

from __future__ import annotations

from typing import NamedTuple

from spetrace.session.clocks import has_one_clock
from spetrace.session.recording_gaps import GapFinder
from spetrace.session.spe_streams import aux_parts
from spetrace.session.stream_survey import SURVEY_COLUMNS, StreamSurvey
from spetrace.tables.recording import Recording, SpeData


class SpeSurvey(NamedTuple):
    """What a pass over all records found."""

    streams: list[StreamSurvey]
    """By number of the AUX stream."""
    gaps: GapFinder


def survey_spe(recording: Recording, spe: SpeData) -> SpeSurvey:
    """Go once through all records of `spe`, the SPE data of `recording`."""
    parts = aux_parts(spe, with_times=has_one_clock(recording))
    survey = SpeSurvey([StreamSurvey(own) for own in parts], GapFinder(spe))
    for stream, batch in spe.batches(SURVEY_COLUMNS, in_order=False):
        survey.streams[stream].add(batch)
        survey.gaps.add(stream, batch)
    for each in survey.streams:
        each.finish()
    return survey
