"""Makes a long trace.dat: the events of a recording again and again, each time later than before.

    python tests/bench/make_large_trace.py 43 large.dat [SOURCE]

SOURCE is sample_traces/kvm-churn/trace.dat where it is not given (747,907 events: 43 times are 32
million, 1 GB). The result is a file of version 6, little endian as the source must be.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from builders_trace_dat import Cpu, Instance, TraceDat  # noqa: E402

from spetrace.ingest.importer import map_file  # noqa: E402
from spetrace.ingest.trace_dat.container import Container, read_container  # noqa: E402
from spetrace.ingest.trace_dat.pages import Pages, read_pages  # noqa: E402
from spetrace.ingest.trace_dat.ring_buffer import PADDING, TIME_EXTEND, TIME_STAMP  # noqa: E402
from spetrace.quality import Quality  # noqa: E402

_PAGE_HEADER = 16
_LONG_DATA = 0
_DELTA_BITS, _DELTA_MASK = 27, (1 << 27) - 1
_FLYRECORD = b"flyrecord\0"
_TGIDS = 32


def absolute_times(page: memoryview) -> list[int]:
    """Where a page's TIME_STAMP events are, whose times don't count from the page's."""
    at, end = _PAGE_HEADER, _PAGE_HEADER + (struct.unpack_from("<Q", page, 8)[0] & _DELTA_MASK)
    found = []
    while at + 4 <= end:
        (word,) = struct.unpack_from("<I", page, at)
        kind = word & 31
        if kind == TIME_STAMP:
            found.append(at)
        if kind in (TIME_EXTEND, TIME_STAMP):
            at += 8
        elif kind in (_LONG_DATA, PADDING):
            if kind == PADDING and not word >> 5:
                break
            (size,) = struct.unpack_from("<I", page, at + 4)
            at += 4 + (size + 3) // 4 * 4
        else:
            at += 4 + 4 * kind
    return found


class Stretch:
    """One CPU's pages, which can be made later."""

    def __init__(self, pages: np.ndarray, page_size: int) -> None:
        self._bytes = pages.copy()
        view = self._bytes.data
        starts = range(0, len(view), page_size)
        at = [s + a for s in starts for a in absolute_times(view[s : s + page_size])]
        self._times = self._bytes.reshape(-1, page_size)[:, :8].view("<u8")[:, 0]
        self._stamps = np.array(at, np.int64)[:, None] + np.arange(8)

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last page's time."""
        return int(self._times.min()), int(self._times.max())

    def written(self) -> bytes:
        """The pages as they are now."""
        return self._bytes.tobytes()

    def delay(self, by: int) -> None:
        """Make all times later."""
        self._times += np.uint64(by)
        low, high = self._bytes[self._stamps].view("<u4").T.astype(np.uint64)
        stamp = (high << np.uint64(_DELTA_BITS)) + (low >> np.uint64(5)) + np.uint64(by)
        words = np.stack(
            (
                (stamp & np.uint64(_DELTA_MASK)) << np.uint64(5) | np.uint64(TIME_STAMP),
                stamp >> np.uint64(_DELTA_BITS),
            )
        )
        self._bytes[self._stamps] = np.ascontiguousarray(words.T, "<u4").view(np.uint8)


def header(container: Container, cpus: list[int]) -> bytearray:
    """The file up to its pages, all CPUs without any."""
    metadata = container.metadata
    tgids = [(o.id, bytes(o.data)) for o in container.options if o.id == _TGIDS]
    clock = container.buffers[0].clock or "local"
    built = TraceDat(
        formats=[format_.text for format_ in metadata.formats.values()],
        instances=[Instance([Cpu(cpu, b"") for cpu in cpus], clock=clock)],
        cmdlines="".join(f"{pid} {comm}\n" for pid, comm in metadata.comms.items()),
        options=tgids,
    )
    return bytearray(built.v6())


def make(source: Path, times: int, output: Path) -> None:
    """Write the pages of `source` so often into `output`."""
    container = read_container(map_file(source), Quality())
    pages: Pages = read_pages(container)
    streams = [s for s in pages.streams if s.buffer == 0]
    stretches = [Stretch(pages.data[s.start : s.end], s.page_size) for s in streams]
    spans = [stretch.span for stretch in stretches]
    later = max(end for _, end in spans) - min(start for start, _ in spans) + 10**9
    head = header(container, [s.cpu for s in streams])
    table = head.rindex(_FLYRECORD) + len(_FLYRECORD)
    with output.open("wb") as file:
        file.write(head)
        for number, (stream, stretch) in enumerate(zip(streams, stretches, strict=True)):
            size = (stream.end - stream.start) * times
            struct.pack_into("<QQ", head, table + 16 * number, file.tell(), size)
            for _ in range(times):
                file.write(stretch.written())
                stretch.delay(later)
        file.seek(0)
        file.write(head)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    default = ROOT / "sample_traces" / "kvm-churn" / "trace.dat"
    make(Path(sys.argv[3]) if len(sys.argv) > 3 else default, int(sys.argv[1]), Path(sys.argv[2]))
