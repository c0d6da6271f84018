"""The AUX area's size from the command line, as perf parses it."""

from __future__ import annotations

import pytest

from spetrace.ingest.perf_data.aux_area import aux_area_bytes


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-m", ",4"], 4 * 4096),
        (["-m", "1,16M"], 16 << 20),
        (["-m,512"], 512 * 4096),
        (["-m2,1G"], 1 << 30),
        (["--mmap-pages", "128,64K"], 64 << 10),
        (["--mmap-pages=,3M"], 4 << 20),
        (["-m", ",5"], 8 * 4096),
        (["-m", ",100B"], 4096),
        (["-m", ",4", "-m", ",8"], 4 * 4096),
        (["-a"], None),
        (["-m", "128"], None),
        (["-m", ",0"], None),
        (["-m", ",x"], None),
        (["-m", ",4T"], None),
        (["-m", ",99999999999999999"], None),
        (["-m"], None),
        (["--", "-m", ",4"], None),
        ([], None),
    ],
)
def test_aux_area_of_command_line(words: list[str], expected: int | None) -> None:
    assert aux_area_bytes(["perf", "record", *words]) == expected


def test_aux_area_in_larger_pages() -> None:
    assert aux_area_bytes(["perf", "-m", ",3"], page_bytes=65536) == 4 * 65536
