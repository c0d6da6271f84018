from __future__ import annotations

import pytest
from runs import counters, run_of, small_run

from spetrace.report.answer_basis import on_fidelity
from spetrace.report.charts import charts_of, fidelity_chart, outcome_bars
from spetrace.report.charts.fidelity_marks import measures_of, render_measure
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.run import Run


def fidelity_run() -> Run:
    run = small_run()
    run.fidelity = FIDELITY.from_rows(
        [
            ("map-on-fault", "latency_p99", "total latency", "cycles", 9, 8, -12.5, 2.0, 4.0, True),
            ("map-on-fault", "pc", "4 KiB pages", "1", 9, 8, 0.01, 0.02, 0.03, False),
            ("inject-abort", "pc", "4 KiB pages", "1", 9, 0, None, None, None, None),
            ("pin-vm", "pc", "4 KiB pages", "1", 9, 9, 0.0, 0.0, 0.0, False),
        ]
    )
    return run


def test_outcome_bars_add_up_to_all_records() -> None:
    chart = outcome_bars(small_run())
    assert chart is not None
    names = [trace["name"] for trace in chart.traces]
    assert names == ["captured", "lost fault", "lost blackout", "lost stopped"]
    for place in range(4):
        assert sum(trace["x"][place] for trace in chart.traces) == pytest.approx(100, abs=1e-4)
        assert sum(trace["customdata"][place][0] for trace in chart.traces) == 300_000
    assert chart.traces[0]["y"][:2] == ["bare-metal [upper]", "inject-abort [lower]"]


def test_no_records_no_bars() -> None:
    assert outcome_bars(run_of({"a": {"vms": {}, "total": counters()}})) is None


def test_measures_hold_the_strategies_that_lose_records_in_the_runs_order() -> None:
    measures = measures_of(fidelity_run())
    assert [m.name for m in measures] == ["pc", "latency_p99"]
    assert measures[0].title == "PCs (4 KiB pages)"
    assert [mark.strategy for mark in measures[0].marks] == ["inject-abort", "map-on-fault"]


def test_chart_shows_noise_and_value_of_one_measure_at_a_time() -> None:
    chart = fidelity_chart(fidelity_run())
    assert chart is not None
    assert [choice.label for choice in chart.choices] == ["PCs (4 KiB pages)", "latency p99"]
    assert chart.choices[1].note == "shift in cycles; 1 of 1 strategy skewed"
    noise, within, beyond = (chart.traces[n] for n in chart.choices[1].traces)
    assert (noise["base"], noise["x"]) == ([-4.0], [8.0])
    assert within["x"] == []
    assert (beyond["y"], beyond["x"]) == (["map-on-fault"], [-12.5])
    assert "No record to compare is lost by pin-vm." in chart.caption


def test_noise_is_absent_where_no_record_survives() -> None:
    run = fidelity_run()
    lost, kept = measures_of(run)[0].marks
    assert (lost.text, lost.noise, lost.noise_p95) == ("-", "-", None)
    assert kept.noise == "0.03"
    chart = fidelity_chart(run)
    assert chart is not None
    noise = chart.traces[chart.choices[0].traces[0]]
    assert noise["x"] == [0.0, 0.03]
    assert "-, noise up to -" in noise["text"][0]


def test_answer_names_who_skews_what() -> None:
    (sentence,) = on_fidelity(measures_of(fidelity_run()))
    assert sentence.endswith("to the profile, map-on-fault skews latency p99.")


def test_no_fidelity_no_chart_and_no_sentence() -> None:
    assert fidelity_chart(small_run()) is None
    assert on_fidelity(measures_of(small_run())) == ()
    assert "fidelity" not in [chart.name for chart in charts_of(small_run())]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.0, "1", "0"), (0.00001, "1", "<0.0001"), (0.123456, "1", "0.123"),
     (12.0, "cycles", "+12 cycles"), (-1.5, "cycles", "-1.5 cycles"), (0.0, "cycles", "0")],
)  # fmt: skip
def test_measures_are_worded(value: float, unit: str, text: str) -> None:
    assert render_measure(value, unit) == text
