"""The report of a sweep, from a grid whose numbers are told by a rule."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spetrace.report.sweep_files import save_sweep_report
from spetrace.report.sweep_measures import MEASURES
from spetrace.report.sweep_text import render_sweep_text
from spetrace.report.sweep_view import SweepView, view_sweep
from spetrace.tables.results import COUNTERS
from spetrace.tables.sweep import RUNS

CAPTURED, OVERHEAD, PINNED = MEASURES
STRATEGIES = {"bare-metal": "upper", "pins": None, "maps": None}
IRQ = [100, 1000, 10_000]
LIMITS = [4096, None]


def row(strategy: str, irq_ns: int, limit: int | None, seed: int | None) -> tuple[Any, ...]:
    """`maps` costs an interrupt, `pins` 2,000 ns; `pins` captures half where a limit is set."""
    values: dict[str, Any] = dict.fromkeys(COUNTERS, 0) | {
        "page_size": 4096, "memory_bytes": 0, "max_buffer_bytes": 0, "host_buffer_bytes": 0,
        "initial_stage2": "empty", "dl_model": "straddle", "data_loss": "keep", "pin_refuses": "",
        "run_id": f"{irq_ns} {limit} {seed}", "capture": "churn", "strategy": strategy,
        "strategy_version": "1", "placement_seed": seed, "memlock_bytes": limit,
        **dict.fromkeys(("vm_exit_ns", "walk_page_ns", "map_page_ns", "pin_page_ns"), 0),
        **dict.fromkeys(("unpin_page_ns", "sysreg_trap_ns", "eret_trap_ns", "copy_page_ns"), 0),
        "irq_ns": irq_ns, "records": 1000, "captured": 1000 - (seed or 0),
    }  # fmt: skip
    if strategy == "maps":
        values |= {"overhead_ns": irq_ns}
    if strategy == "pins":
        pinned = min(limit or 1 << 20, 1 << 20)
        values |= {"overhead_ns": 2000, "pinned_bytes_peak": pinned}
        values["captured"] = 500 if limit else 1000
    return tuple(values.get(name) for name in RUNS.names)


def sweep(seeds: tuple[int | None, ...] = (None,)) -> tuple[pa.Table, dict[str, Any]]:
    rows = [row(s, *rest) for *rest, s in product(IRQ, LIMITS, seeds, STRATEGIES)]
    facts = {
        "settings": {"costs.irq_ns": IRQ, "memlock_bytes": LIMITS, "page_size": [4096]},
        "strategies": {name: {"bound": bound} for name, bound in STRATEGIES.items()},
        "captures": [
            {
                "name": "churn",
                "inputs": [{"name": "<b>.dat", "format": "trace.dat", "size_bytes": 7}],
                "assumptions": [{"name": "placement", "value": "contiguous", "text": "Nobody."}],
                "quality": [
                    {"counter": "lost", "count": 3, "severity": "data_loss", "remedy": "more"}
                ],
            }
        ],
        "runs": len(rows) // len(STRATEGIES),
        "placements": 0 if seeds == (None,) else len(seeds),
        "command": "spetrace sweep </script>",
    }
    return RUNS.from_rows(rows), facts


@pytest.fixture
def view() -> SweepView:
    return view_sweep(*sweep())


def test_effects_are_the_range_of_medians_widest_first(view: SweepView) -> None:
    first, second = view.effects_on(CAPTURED, "churn", "pins")
    assert (first.parameter, first.low, first.low_at) == ("memlock_bytes", 50.0, 4096)
    assert (first.high, first.high_at, first.middle, first.widest) == (100.0, None, 75.0, 50.0)
    assert (second.parameter, second.width, second.widest) == ("costs.irq_ns", 0.0, 0.0)
    (irq, _limit) = view.effects_on(OVERHEAD, "churn", "maps")
    assert (irq.low, irq.low_at, irq.high, irq.high_at) == (100.0, 100, 10_000.0, 10_000)


def test_answer_names_what_matters_most(view: SweepView) -> None:
    assert view.answer[:3] == (
        "Captured records: what matters most is memlock_bytes; pins goes from 50 % (4 KiB) to "
        "100 % (none).",
        "Overhead: what matters most is costs.irq_ns; maps goes from 100 ns (100 ns) to 10.0 us "
        "(10.0 us).",
        "Peak of pinned memory: what matters most is memlock_bytes; pins goes from 4 KiB (4 KiB) "
        "to 1 MiB (none).",
    )


def test_flips_tell_between_which_values(view: SweepView) -> None:
    (flip,) = view.flips
    assert (flip.measure, flip.parameter) == (OVERHEAD, "costs.irq_ns")
    assert (flip.better_before, flip.before) == ("maps", 1000)
    assert (flip.better_after, flip.after) == ("pins", 10_000)
    assert (flip.settings, flip.of_settings) == (2, 2)
    assert view.flip_lines == (
        "Overhead: at costs.irq_ns 1.00 us maps is better, at 10.0 us pins, at 2 of 2 settings of "
        "the other parameters.",
    )


def test_tie_between_two_values_is_no_flip_of_its_own() -> None:
    table, facts = sweep()
    facts["settings"] |= {"memlock_bytes": LIMITS}
    captured = view_sweep(table, facts)
    assert not [f for f in captured.flips if f.measure is CAPTURED], "better, then as good"


def test_placements_give_percentiles_and_an_effect() -> None:
    view = view_sweep(*sweep(tuple(range(0, 101))))
    assert len(view.percentiles) == len(IRQ) * len(LIMITS) * len(STRATEGIES)
    maps = next(p for p in view.percentiles if p.strategy == "maps")
    spread = maps.spread(CAPTURED)
    assert spread is not None
    assert (maps.placements, dict(maps.point)) == (
        101,
        {"costs.irq_ns": 100, "memlock_bytes": 4096},
    )
    assert [spread.p5, spread.p50, spread.p95] == pytest.approx([90.5, 95.0, 99.5])
    effect = view.effects_on(CAPTURED, "churn", "maps")[0]
    assert (effect.parameter, effect.low_at, effect.high_at) == ("placement", "p5", "p95")
    assert [effect.low, effect.high] == pytest.approx([90.5, 99.5])


def test_text_fits_a_terminal_and_says_what_its_columns_are() -> None:
    text = render_sweep_text(view_sweep(*sweep(tuple(range(0, 101)))))
    assert max(map(len, text.splitlines())) <= 80
    assert "least and most are medians over the values of all other parameters" in text
    captured, other = text.split("Placements: captured records\n")[1].split("Over the placements")[
        :2
    ]
    heading, first = (line.split() for line in captured.splitlines()[1:3])
    assert heading == ["costs.irq_ns", "memlock_bytes", "strategy", "p5", "p50", "p95"]
    assert " ".join(first) == "100 ns 4 KiB bare-metal 90.5 % 95 % 99.5 %"
    assert "Placements: overhead" not in other, "what no placement changes has no table"


def test_sweep_of_one_run_and_of_none_has_a_report(tmp_path: Path) -> None:
    table, facts = sweep()
    save_sweep_report(table.slice(0, 3), facts | {"settings": {}}, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["effects"] == []
    save_sweep_report(RUNS.empty(), {}, tmp_path)
    assert "<h1>Sweep</h1>" in (tmp_path / "report.html").read_text()


def test_all_formats_tell_the_same_and_escape_what_was_given(tmp_path: Path) -> None:
    seeds = (1, 2, 3)
    view = view_sweep(*sweep(seeds))
    table, facts = sweep(seeds)
    save_sweep_report(table, facts, tmp_path)
    html, text = ((tmp_path / f"report.{kind}").read_text() for kind in ("html", "txt"))
    text = " ".join(text.split())
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["answer"] == list(view.answer)
    assert len(report["effects"]) == len(view.effects)
    for sentence in (*view.answer, *view.flip_lines):
        assert sentence in text
        assert sentence in html
    for said in ("lost 3", "placement = contiguous", "trace.dat, 7 bytes"):
        assert said in text
        assert said in html
    assert "<b>.dat" not in html
    assert "sweep </script>" not in html
    assert "tornado-overhead_ns" in html
    assert "placements-captured_share" in html


def test_maps_show_the_pairs_that_both_matter() -> None:
    from spetrace.report.sweep_charts import heat_maps

    table, facts = sweep()
    names = table.column_names.index("overhead_ns")
    irq, limits = table["irq_ns"].to_pylist(), table["memlock_bytes"].to_pylist()
    both = [i + (1000 if limit else 0) for i, limit in zip(irq, limits, strict=True)]
    table = table.set_column(names, RUNS.schema.field("overhead_ns"), pa.array(both, pa.int64()))
    charts = {chart.name: chart for chart in heat_maps(view_sweep(table, facts))}
    assert set(charts) == {"map-overhead_ns"}
    chart = charts["map-overhead_ns"]
    assert [c.label for c in chart.choices][-1].startswith("bare-metal: "), "bounds come last"
    drawn = chart.traces[0]
    assert drawn["z"] == [[v / 1e6 for v in (1100, 2000, 11_000)], [v / 1e6 for v in IRQ]]
    assert drawn["y"] == ["memlock_bytes 4 KiB", "memlock_bytes none"]


def test_what_files_supplied_is_printable() -> None:
    totals, facts = sweep()
    hostile = "\x1b[31m"
    about = facts["captures"][0]
    about["inputs"][0]["format"] = hostile
    about["assumptions"][0]["text"] = hostile
    about["quality"][0] |= {"counter": hostile, "remedy": hostile}
    view = view_sweep(totals, facts)
    shown = [text for pairs in (view.facts, view.assumptions, view.losses) for text in pairs]
    assert sum("\\x1b[31m" in text for pair in shown for text in pair) == 4
    assert all(text.isprintable() for pair in shown for text in pair)
