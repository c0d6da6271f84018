from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import numpy as np
import polars as pl
import pytest
from cli.command import SAMPLES
from profile_samples import BRANCH, MISPRED, frame, mapping, record, samples
from rich.console import Console

from spetrace.profile.address_rows import ROWS, address_rows
from spetrace.profile.compute import Naming, build_profile
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.report.profile_chart_data import LATENCY_EDGES, curves, drawn_gaps, lanes
from spetrace.report.profile_html import render_profile_html
from spetrace.report.profile_json import render_profile_json
from spetrace.report.profile_terminal import render_profile
from spetrace.report.profile_view import Ranking, view_profile
from spetrace.tables.profile import Profile
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.workflow.profiling import profile_files

HOSTILE = "<script>alert('x')</script>\x1b[2J&"


@pytest.fixture(scope="module")
def profile() -> Profile:
    path = f"/bin/{HOSTILE.replace('/', '')}"
    records: list[dict[str, Any]] = [
        record(cpu=n % 2, time_ns=1000 + n, va=0x7F0000000000 + 8 * n, data_source=n % 2 * 8)
        for n in range(300)
    ]
    records += [record(BRANCH, events=MISPRED, pc=0x400200, time_ns=1100) for _ in range(4)]
    records += [record(pc=0x10, time_ns=1100)]
    gaps = [
        {"source": 0, "cpu": 0, "start_ns": 1050, "end_ns": 1060, "cause": "truncated",
         "records_lost_estimate": 9},
        {"source": 0, "cpu": 1, "start_ns": 1200, "end_ns": None, "cause": "stopped"},
    ]  # fmt: skip
    made = build_profile(
        samples(records, [mapping(0x400000, 0x1000, path)]),
        Naming(SymbolFiles()),
        frame(RECORDING_GAPS, gaps),
    )
    made.inputs = [{"name": HOSTILE, "format": "perf.data", "size_bytes": 1}]
    made.quality = frame(
        QUALITY,
        [{"source": 0, "counter": "aux_truncated", "severity": "data_loss", "count": 3,
          "remedy": HOSTILE}],
    ).to_arrow()  # fmt: skip
    return made


def draw(profile: Profile, width: int = 120, **options: Any) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as drawn:
        console.print(render_profile(view_profile(profile, 20, **options)))
    return drawn.get()


def test_all_formats_tell_the_same(profile: Profile) -> None:
    view = view_profile(profile, 20)
    text, page, told = draw(profile, 200), render_profile_html(profile, view), json.loads(
        render_profile_json(profile)
    )  # fmt: skip
    cells = {cell for section in view.sections for row in section.rows for cell in row}
    for cell in cells:
        assert escape(cell) in page
        assert cell in text
    assert told["samples"] == 305
    assert [row["samples"] for row in told["pcs"]] == [300, 4, 1]
    assert told["pcs"][2]["where"] == "unknown at 0x10"


def test_every_percentage_stands_beside_its_count() -> None:
    found = profile_files([SAMPLES / "spe-neoverse-n1" / "spe.perf.data"])
    sections = view_profile(found, 20).sections
    assert len(sections) == 11
    shares = 0
    for section in sections:
        texts = [heading.text for heading in section.headings]
        for row in section.rows:
            for place, cell in enumerate(row):
                if "%" in texts[place]:
                    assert re.fullmatch(r"\d[\d,]*", row[place - 1]), (section.title, row)
                    shares += 1
                for share in re.finditer(r"%(.*?)(,|$)", cell):
                    assert re.fullmatch(r" \([\d,]+\)", share[1]), (section.title, cell)
                    shares += 1
    assert shares > 100


def test_what_the_recording_lost_comes_before_all_else(profile: Profile) -> None:
    text = draw(profile, 200)
    gaps = "2 gaps of 10 ns in all (1.7 % of the AUX streams' time); about 9 samples lost in them."
    first = [text.index(part) for part in (gaps, "data_loss aux_truncated", "Functions")]
    assert first == sorted(first)
    page = render_profile_html(profile, view_profile(profile, 20))
    assert page.index("aux_truncated") < page.index("Latency by data source")


def test_names_from_files_cannot_act(profile: Profile) -> None:
    page = render_profile_html(profile, view_profile(profile, 20))
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\x1b" not in draw(profile)


def test_the_page_needs_nothing_but_itself(profile: Profile) -> None:
    page = render_profile_html(profile, view_profile(profile, 20))
    head = page[: page.index("<body>")]
    assert "src=" not in head
    assert "<link" not in page[: page.index("<script")]
    assert len(page) < 10 << 20
    for name in ("latencies", "addresses", "rates"):
        assert f'id="{name}"' in page


def test_a_profile_of_nothing_is_a_page_without_charts() -> None:
    empty = Profile()
    page = render_profile_html(empty, view_profile(empty, 20))
    assert 'class="chart"' not in page
    assert draw(empty).startswith("0 samples")
    json.loads(render_profile_json(empty))


def test_rankings_are_shown_as_chosen(profile: Profile) -> None:
    text = draw(profile, rankings=(Ranking.PAGE,))
    assert "Data pages" in text
    assert "Instructions" not in text


def test_curves_hold_every_latency_once() -> None:
    counts = pl.DataFrame(
        {
            "operation": ["load"] * 65536 + ["store", "branch"],
            "data_source": ["L1D"] * 65536 + [None, None],
            "cycles": [*range(65536), 7, 7],
            "samples": [1] * 65536 + [5, 9],
        },
        schema_overrides={"cycles": pl.UInt16, "samples": pl.UInt64},
    )
    (load, store), merged = curves(counts)
    assert (load.name, load.total, sum(load.samples), merged) == ("L1D", 65536, 65536, 0)
    assert load.cycles[:-1] == LATENCY_EDGES.tolist()[: len(load.samples) - 1]
    assert (store.name, store.cycles, store.ends, store.percent) == (
        "stores", [7, 8], [7, 8], [100.0, 0.0],
    )  # fmt: skip


def test_many_sources_are_drawn_as_one() -> None:
    counts = pl.DataFrame(
        {
            "operation": ["load"] * 30,
            "data_source": [f"s{n}" for n in range(30)],
            "cycles": [10] * 30,
            "samples": [n + 1 for n in range(30)],
        }
    )
    found, merged = curves(counts)
    assert (len(found), merged, found[-1].total) == (12, 19, sum(range(1, 20)))


def test_gaps_lie_in_the_lane_of_their_cpu(profile: Profile) -> None:
    drawn, streams = lanes(profile)
    assert [(lane.name, sum(lane.samples)) for lane in drawn] == [("CPU 0", 155), ("CPU 1", 150)]
    assert streams == 2
    gaps, whole = drawn_gaps(profile, drawn)
    assert (gaps.count, whole) == (2, 2)
    assert gaps.x[:3] == pytest.approx([200e-9, 200e-9, 299e-9])
    assert (gaps.y[0], gaps.y[6]) == (1, 0)


def test_rows_hold_all_pages_and_follow_each_other() -> None:
    random = np.random.default_rng(3)
    bases = random.integers(0, 1 << 50, 30, dtype=np.uint64)
    pages = np.unique(np.concatenate([base + np.arange(0, 500, 7, np.uint64) for base in bases]))
    starts, ends = address_rows(pages, np.ones(len(pages), np.uint64))
    assert len(starts) <= ROWS
    assert (starts < ends).all()
    assert (ends[:-1] <= starts[1:]).all()
    at = np.searchsorted(starts, pages, "right") - 1
    assert ((pages >= starts[at]) & (pages < ends[at])).all()
    one = address_rows(np.array([(1 << 52) - 1], np.uint64), np.array([1], np.uint64))
    assert [each.tolist() for each in one] == [[(1 << 52) - 1], [1 << 52]]
