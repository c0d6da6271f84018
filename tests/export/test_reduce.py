from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.errors import UsageError
from spetrace.export.reduce import cut_to_window, limit_rows
from spetrace.export.scene import Scene
from spetrace.export.tracks import NEVER, Annotation, Form, Kind, Marks, Track

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=5)


def marks_of(kind: Kind, times: list[list[int]], length: int = 2) -> Marks:
    """A track for each list of times; a counter's values are its times' last digits."""
    start = np.array([t for track in times for t in track], np.int64)
    track = np.repeat(np.arange(len(times)), [len(each) for each in times])
    end = start + (0 if kind is Kind.INSTANT else length)
    rows = Annotation(Form.NUMBER, np.arange(len(start)), np.ones(len(start), np.bool_))
    tracks = tuple(Track(f"t{i}") for i in range(len(times)))
    name = np.zeros(len(start), np.int64)
    return Marks(kind, "c", tracks, track, start, end, ("n",), name, start % 10, {"row": rows})


def scene_of(*marks: Marks) -> Scene:
    scene = Scene()
    scene.add(marks)
    return scene


def test_window_cuts_what_crosses_it() -> None:
    scene = scene_of(marks_of(Kind.SLICE, [[100, 110, 120, 130]], 5))
    cut = cut_to_window(scene, 12, 22)
    assert cut.marks[0].start.tolist() == [112, 120]
    assert cut.marks[0].end.tolist() == [115, 122]
    assert cut.left_out[0].startswith("2 slices, instants and values")


def test_window_keeps_the_value_that_a_counter_has_as_it_begins() -> None:
    cut = cut_to_window(scene_of(marks_of(Kind.COUNTER, [[0, 11, 23]], 11)), 15, None)
    assert (cut.marks[0].start.tolist(), cut.marks[0].values.tolist()) == ([15, 23], [1, 3])


def test_window_keeps_slices_without_an_end() -> None:
    marks = marks_of(Kind.SLICE, [[0], [50]])
    marks.end[0] = NEVER
    assert cut_to_window(scene_of(marks), 10, 20).marks[0].end.tolist() == [20]
    assert cut_to_window(scene_of(marks), 10, None).marks[0].end.tolist() == [NEVER, 52]


def test_window_after_everything_is_refused() -> None:
    with pytest.raises(UsageError, match="after the last event"):
        cut_to_window(scene_of(marks_of(Kind.INSTANT, [[0, 5]])), 6, None)


def test_no_window_and_no_limit_change_nothing() -> None:
    scene = scene_of(marks_of(Kind.INSTANT, [[0, 5]]))
    assert limit_rows(cut_to_window(scene, None, None), None) is scene


@given(SIZES, st.integers(5, 150), st.sampled_from(list(Kind)))
@settings(deadline=None, max_examples=100)
def test_limit_holds_and_spares_the_sparse_tracks(sizes: list[int], limit: int, kind: Kind) -> None:
    scene = scene_of(marks_of(kind, [list(range(0, 10 * size, 10)) for size in sizes]))
    kept = limit_rows(scene, limit)
    counts = np.bincount(kept.marks[0].track, minlength=len(sizes))
    assert counts.sum() <= limit
    assert all((counts == sizes) | (counts >= limit // len(sizes) - 1) | (kind is Kind.COUNTER))
    assert len(kept.left_out) == sum(counts[i] < size for i, size in enumerate(sizes))


def test_cut_track_ends_with_a_mark_that_says_so() -> None:
    scene = scene_of(marks_of(Kind.SLICE, [[0, 10, 20, 30, 40], [7]]))
    marks = limit_rows(scene, 4).marks[0]
    assert marks.start.tolist() == [0, 10, 20, 7]
    names = [marks.names[i] for i in marks.name]
    assert names == ["n", "n", "left out here: 3 of 5 (--limit)", "n"]
    assert marks.annotations["row"].present.tolist() == [True, True, False, True]
    assert (marks.end - marks.start).tolist() == [2, 2, 0, 2]


def test_counter_keeps_its_peak() -> None:
    scene = scene_of(marks_of(Kind.COUNTER, [[*range(100), 109]]))
    scene.marks[0].values[50] = 1000
    kept = limit_rows(scene, 10)
    assert 1000 in kept.marks[0].values
    assert len(kept.marks[0]) <= 10
    assert kept.left_out == [
        "t0: the highest of 101 values in each of 10 spans of time is shown"
    ]  # fmt: skip
