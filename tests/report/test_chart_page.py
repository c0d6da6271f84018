from __future__ import annotations

import json
from typing import Any

import pytest
from runs import full_run

from spetrace.report.charts import charts_of
from spetrace.report.html_style import THEMES
from spetrace.report.plotly_page import Chart, Choice, figure_of, place_chart, render_page


def two_choices() -> Chart:
    traces = [
        {"type": "bar", "x": [1], "y": [n], "marker": {"color": "--loss"}, "name": f"n{n}"}
        for n in range(3)
    ]
    choices = (Choice("one", (0,)), Choice("<two>", (1, 2), "both"))
    return Chart(
        "c", "alt", traces, {"title": {"text": "--loss"}}, 300, "T", "cap", choices, "Which"
    )


def charts_in(page: str) -> list[dict[str, Any]]:
    text = page.partition('<script type="application/json" id="charts">')[2]
    found: list[dict[str, Any]] = json.loads(text.partition("</script>")[0])
    return found


def test_first_choice_is_what_is_visible() -> None:
    (chart,) = charts_in(render_page("t", "", [two_choices()]))
    assert [trace["visible"] for trace in chart["data"]] == [True, False, False]
    assert [choice["traces"] for choice in chart["choices"]] == [[0], [1, 2]]


def test_choices_are_a_labelled_select() -> None:
    place = place_chart(two_choices())
    assert '<label for="c-choice">Which</label> <select id="c-choice"' in place
    assert '<option value="1">&lt;two&gt;</option>' in place
    assert "<figcaption>cap</figcaption>" in place


def test_chart_without_caption_and_choices_is_its_place_alone() -> None:
    assert place_chart(Chart("c", "alt", [])).startswith('<div class="chart" id="c"')


def test_figure_has_the_light_theme_the_title_and_a_menu() -> None:
    figure = figure_of(two_choices())
    assert figure.data[0].marker.color == THEMES["light"]["--loss"]
    assert figure.layout.title.text == "T"
    assert [trace.visible for trace in figure.data] == [True, False, False]
    buttons = figure.layout.updatemenus[0].buttons
    assert buttons[1].args[0]["visible"] == [False, True, True]


def test_themes_name_the_same_colours() -> None:
    assert set(THEMES["light"]) == set(THEMES["dark"])


@pytest.mark.parametrize("chart", charts_of(full_run()), ids=lambda chart: chart.name)
def test_every_chart_is_a_figure_that_plotly_accepts(chart: Chart) -> None:
    figure = figure_of(chart)
    assert len(figure.data) == len(chart.traces)
    assert figure.layout.title.text
    assert "--" not in json.dumps([str(t.marker.color) for t in figure.data if t.type == "bar"])


def test_page_without_charts_has_no_library() -> None:
    page = render_page("t", "<p>b</p>", [])
    assert "Plotly" not in page
    assert len(page) < 20_000
