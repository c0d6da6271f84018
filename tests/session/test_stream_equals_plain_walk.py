"""The vectorised stream of events against a plain walk over AUX records and SPE records."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from session_recordings import rows

from spetrace.session.merge import merge_runs
from spetrace.session.spe_stream import stream_events
from spetrace.session.spe_streams import UNKNOWN_LEVEL, AuxParts, StreamRecords

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
@given(streams())
def test_stream_equals_plain_walk(stream) -> None:
    parts, records = stream
    offset, size, time = (np.array(c) for c in zip(*parts, strict=True))
    aux = AuxParts(offset.astype(np.uint64), size.astype(np.uint64), time, np.ones(len(time), bool))
    columns = [[r[i] for r in records] for i in range(4)]
    found = StreamRecords(
        np.array(columns[0], np.uint64),
        np.array(columns[1], np.uint32),
        np.array(columns[2], np.int64),
        np.ones(len(records), bool),
        np.array([UNKNOWN_LEVEL if v is None else v for v in columns[3]], np.uint8),
        np.arange(len(records), dtype=np.uint64),
    )
    run = stream_events(aux, found, base=BASE, area_bytes=AREA, pmscr=PMSCR, page_size=PAGE).run
    expected = sorted(plain(parts, records), key=lambda event: event[0])
    merged = rows(merge_runs([run]), "ts", "kind", "reg", "value", "bytes")
    assert [shown(row) for row in merged] == expected
