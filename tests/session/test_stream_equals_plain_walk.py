"""The vectorised stream of events against a plain walk over AUX records and SPE records."""

from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import FakeSpe, rows

from spetrace.session.event_logs import table_of
from spetrace.session.merge import merged_batches
from spetrace.session.programming import program
from spetrace.session.spe_stream import BufferSetup, iter_stream_runs
from spetrace.session.spe_streams import RECORD_COLUMNS, aux_parts
from spetrace.session.stream_survey import StreamSurvey

BASE, AREA, PAGE, PMSCR = 1 << 40, 16384, 4096, 3


def plain(parts, records):
    """(ts, kind or register, value, bytes or None) as section 5 says, one step after another."""
    made, full, level, before = [], False, 1, 0
    for number, (offset, size, time) in enumerate(parts):
        own = [r for r in records if offset <= r[0] < offset + size]
        position = offset % AREA if offset % AREA + size <= AREA else 0
        end = position + size
        limit = max((position // (AREA // 2) + 1) * AREA // 2, -(-end // PAGE) * PAGE)
        pointer, armed = BASE + position, (BASE + limit) | 1
        if full:
            made += [(before, "buffer_full", 0)]
            made += [(before, "PMBPTR_EL1", pointer), (before, "PMBLIMITR_EL1", armed)]
            made += [(before, "PMBSR_EL1", 0)]
        else:
            start = own[0][2] if own else time
            made += [(start, "PMBPTR_EL1", pointer), (start, "PMBLIMITR_EL1", armed)]
            made += [(start, "PMSCR_EL1", PMSCR)]
        level = 1
        for _offset, bytes_, at, at_level in own:
            if at_level is not None and at_level != level:
                made.append((at, "exception" if at_level else "eret", 0))
                level = at_level
            made.append((at, "spe_record", bytes_))
        full, before = limit - end < 2048 and number < len(parts) - 1, time
        if not full:
            made += [(time, "PMSCR_EL1", 0), (time, "PMBLIMITR_EL1", 0)]
    return made


@st.composite
def streams(draw):
    """AUX records one after the other, with gaps, and records that fill them, in time order."""
    parts, records, offset, time = [], [], draw(st.integers(0, 3)) * 2048, 0
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.sampled_from([0, 64, 1024, 4096, 6200, 8192, 20000]))
        for start in range(offset, offset + size, 512):
            time += draw(st.integers(0, 3))
            records.append((start, 512, time, draw(st.sampled_from([0, 1, None]))))
        time += draw(st.integers(0, 3))
        parts.append((offset, size, time))
        offset += size + draw(st.sampled_from([0, 0, 512]))
    return parts, records


def shown(row):
    ts, kind, register, value, size = row
    return ts, register or kind, value or size or 0


@settings(deadline=None, max_examples=150)
@given(streams(), st.integers(1, 20), st.integers(1, 50))
def test_stream_equals_plain_walk(stream, batch_rows: int, chunk_rows: int) -> None:
    parts, records = stream
    aux = [(0, time, offset, size) for offset, size, time in parts]
    data = FakeSpe(aux, [(0, *record) for record in records], most_rows=batch_rows)
    made = table_of(merged_batches(list(runs_of(data, batch_rows)), chunk_rows))
    expected = sorted(plain(parts, records), key=lambda event: event[0])
    found = rows(made, "ts", "kind", "reg", "value", "bytes")
    assert [shown(row) for row in found] == expected


@st.composite
def untimely_streams(draw):
    """A stream whose times are missing here and there, and in no order."""
    times = st.one_of(st.none(), st.integers(0, 20))
    parts, records = draw(streams())
    return (
        [(offset, size, draw(times)) for offset, size, _ in parts],
        [(offset, size, draw(times), level) for offset, size, _, level in records],
    )


def completed(parts, records):
    """The same stream with all times, as the rules for missing ones say."""
    owners = [
        [i for i, (at, size, _) in enumerate(parts) if at <= r[0] < at + size] for r in records
    ]
    held = [(owner[0], record) for owner, record in zip(owners, records, strict=True) if owner]
    known = [record[2] for _, record in held if record[2] is not None]
    last, by_record = known[0] if known else None, {}
    timed = []
    for owner, (offset, size, time, level) in held:
        last = time if time is not None else last
        timed.append((owner, (offset, size, last, level)))
        by_record[owner] = last
    part_times = [p[2] if p[2] is not None else by_record.get(i) for i, p in enumerate(parts)]
    first = next((t for t in part_times if t is not None), 0)
    for i, time in enumerate(part_times):
        before = part_times[i - 1] if i else first
        part_times[i] = time if time is not None else before
    parts = [(offset, size, part_times[i]) for i, (offset, size, _) in enumerate(parts)]
    return parts, [
        (offset, size, part_times[owner] if time is None else time, level)
        for owner, (offset, size, time, level) in timed
    ]


def runs_of(data: FakeSpe, batch_rows: int):
    surveys = [StreamSurvey(own) for own in aux_parts(data)]
    for stream, batch in data.batches():
        surveys[stream].add(batch)
    for stream, survey in enumerate(surveys):
        setup = BufferSetup(program(survey.parts, AREA, PAGE), BASE, PMSCR)
        batches = data.stream_batches(stream, RECORD_COLUMNS, batch_rows)
        yield iter_stream_runs(survey.finish(), batches, setup, 0)


@settings(deadline=None, max_examples=150)
@given(st.lists(untimely_streams(), min_size=1, max_size=3), st.integers(1, 20), st.integers(1, 50))
def test_streams_of_any_times_come_in_time_order(several, batch_rows: int, chunk_rows: int) -> None:
    data = FakeSpe(
        [(n, time, at, size) for n, (parts, _) in enumerate(several) for at, size, time in parts],
        [(n, *record) for n, (_, records) in enumerate(several) for record in records],
        stream_cpus=list(range(len(several))),
        most_rows=batch_rows,
    )
    made = table_of(merged_batches(list(runs_of(data, batch_rows)), chunk_rows))
    expected = [event for one in several for event in plain(*completed(*one))]
    found = rows(made, "ts", "kind", "reg", "value", "bytes")
    assert [shown(row) for row in found] == sorted(expected, key=lambda event: event[0])
