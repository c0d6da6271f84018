"""Arrays in temporary files are as those in memory."""

import numpy as np
import pytest

from spetrace import spooled
from spetrace.errors import InputError
from spetrace.spooled import Column, chunks, let_go, room


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where arrays of a few KiB are."""
    monkeypatch.setattr(spooled, "HELD_BYTES", 1 << 30 if request.param == "memory" else 1)
    return str(request.param)


@pytest.mark.parametrize("count", [1, 1000, 1 << 18])
def test_room_is_filled_and_can_be_written(place: str, count: int) -> None:
    numbers, flags = room(count, np.int64(-1), np.bool_(True))
    assert (len(numbers), numbers.dtype, flags.dtype) == (count, np.int64, np.bool_)
    assert (numbers == -1).all()
    assert flags.all()
    numbers[:] = np.arange(count)
    let_go(numbers[1:], flags)
    assert (numbers == np.arange(count)).all()
    assert flags.all()


def test_room_for_rows_of_several_fields(place: str) -> None:
    dtype = np.dtype([("a", np.int64), ("b", np.uint8)])
    (rows,) = room(5000, np.zeros(1, dtype)[0])
    rows["b"] = 7
    let_go(rows["b"])
    assert (rows["a"].sum(), rows["b"].sum()) == (0, 35_000)


def test_room_for_nothing(place: str) -> None:
    assert len(room(0, np.int64(1))[0]) == 0


def test_column_has_what_was_added(place: str) -> None:
    column = Column(np.int64)
    for part in (np.arange(3), np.zeros(0, np.int64), np.arange(3, 5000)):
        column.add(part)
    assert len(column) == 5000
    assert (column.finish() == np.arange(5000)).all()


def test_column_without_anything(place: str) -> None:
    assert len(Column(np.uint64).finish()) == 0


def test_chunks_make_up_all_rows() -> None:
    rows = np.arange(10)
    assert [rows[part].tolist() for part in chunks(10, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert list(chunks(0)) == []


def test_full_disk_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(buffering: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spooled, "HELD_BYTES", 1)
    monkeypatch.setattr(spooled.tempfile, "TemporaryFile", refuse)
    with pytest.raises(InputError, match=r"can't be kept in .*: No space left on device"):
        room(1000, np.int64(0))
    with pytest.raises(InputError, match="No space left on device"):
        Column(np.int64).add(np.arange(10))
