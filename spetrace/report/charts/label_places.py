"""Where the labels of a chart's points go, so that none covers another at any width of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WIDTHS: Final = (225, 520, 1110)
"""Of the plotting area in pixels: on a phone, a tablet and a desktop."""
_CHARACTER, _LINE, _MARK = 6.6, 15.0, 9.0
Line = tuple[float, float, float, float]
"""An upright or a level line: x and y of its ends, from left and from the top, 0 to 1."""
_REACHES: Final = (1.0, 1.6, 2.4, 3.4, 4.6, 6.0, 8.0)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels by its middle and its half extents."""

    x: float
    y: float
    half_width: float
    half_height: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        wide = self.half_width + other.half_width - abs(self.x - other.x)
        high = self.half_height + other.half_height - abs(self.y - other.y)
        return wide * high if wide > 0 and high > 0 else 0.0


@dataclass(frozen=True)
class Point:
    """What is labelled: where it stands (0 to 1 from left and from the top), and its text."""

    x: float
    y: float
    lines: tuple[str, ...]


def place_labels(
    points: Sequence[Point], lines: Sequence[Line], height: int
) -> list[tuple[int, int]]:
    """Per point the offset of its label's middle in pixels (right, down), nearest places first.

    The first points are served first. What must stay free is the points, the lines and other labels.
    """
    marks = {width: _obstacles(points, lines, width, height) for width in WIDTHS}
    taken: dict[int, list[Box]] = {width: [] for width in WIDTHS}
    offsets = []
    for point in points:
        chosen = min(_offsets(point), key=lambda offset: _cost(point, offset, marks, taken, height))
        offsets.append((round(chosen[0]), round(chosen[1])))
        for width in WIDTHS:
            taken[width].append(_box(point, chosen, width, height))
    return offsets


def _obstacles(
    points: Sequence[Point], lines: Sequence[Line], width: int, height: int
) -> list[Box]:
    marks = [Box(p.x * width, p.y * height, _MARK, _MARK) for p in points]
    for left, top, right, bottom in lines:
        middle = ((left + right) / 2 * width, (top + bottom) / 2 * height)
        halves = (abs(right - left) / 2 * width + 1, abs(bottom - top) / 2 * height + 1)
        marks.append(Box(*middle, *halves))
    return marks


def _offsets(point: Point) -> Iterator[tuple[float, float]]:
    """Around the point, from near to far."""
    wide, high = _halves(point)
    for reach in _REACHES:
        for right in (1, -1, 0):
            for down in (0, 1, -1):
                if right or down:
                    away = _MARK * reach
                    yield right * (wide + away), down * (high + away)


def _cost(
    point: Point,
    offset: tuple[float, float],
    marks: dict[int, list[Box]],
    taken: dict[int, list[Box]],
    height: int,
) -> float:
    """What is covered weighs more than the way to the point."""
    covered = 0.0
    for width in WIDTHS:
        box = _box(point, offset, width, height)
        others = (*marks[width], *taken[width])
        covered += sum(box.overlap(other) for other in others) + _outside(box, width, height)
    return 100 * covered + abs(offset[0]) + 2 * abs(offset[1])


def _outside(box: Box, width: int, height: int) -> float:
    beyond = (
        box.half_width - box.x,
        box.x + box.half_width - width,
        box.half_height - box.y,
        box.y + box.half_height - height,
    )
    return 10 * sum(max(0.0, each) for each in beyond)


def _halves(point: Point) -> tuple[float, float]:
    return max(map(len, point.lines)) * _CHARACTER / 2 + 3, len(point.lines) * _LINE / 2 + 2


def _box(point: Point, offset: tuple[float, float], width: int, height: int) -> Box:
    return Box(point.x * width + offset[0], point.y * height + offset[1], *_halves(point))
