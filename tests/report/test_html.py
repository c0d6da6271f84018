from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from io import StringIO

import pyarrow as pa
from rich.console import Console
from runs import counters, full_run, run_of, small_run

from spetrace.report.charts import charts_of
from spetrace.report.comparison import Comparison, compare
from spetrace.report.html import render_html
from spetrace.report.json_report import render_json
from spetrace.report.mail import render_mail
from spetrace.report.terminal import render_terminal
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.results import BLACKOUTS, PINNED

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J[bold]\u202e\udcff\n.data"
VOID = {"meta", "br"}
SCRIPTS = 4
"""Theme, plotly.js, the charts' data and the page's own script."""
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "header", "section", "h1", "h2", "p", "div",
    "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "data", "code", "br", "ul", "li",
    "dl", "dt", "dd", "h3", "button", "script", "figure", "figcaption", "label", "select", "option",
}  # fmt: skip


class Page(HTMLParser):
    """Checks that tags nest, and collects tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_hostile_strategy_name_keeps_its_row() -> None:
    values = counters(captured=7)
    name = HOSTILE.replace("\udcff", "")
    run = run_of({name: {"vms": {"0": values}, "total": values}})
    run.session["strategies"] = {name: {"doc": "mine", "bound": HOSTILE}}
    comparison = compare(run)
    assert comparison.scopes[0].groups[0].rows[0].cells[0].value == 7
    assert comparison.strategies[0].doc == "mine"
    assert comparison.strategies[0].bound is None
    assert Page(render_html(comparison)).tags <= KNOWN
    assert "\x1b" not in render_mail(comparison)


def hostile() -> Comparison:
    run = full_run()
    run.session["inputs"][0]["name"] = HOSTILE
    run.session["command"] = HOSTILE
    run.session["assumptions"] = [{"name": HOSTILE, "value": HOSTILE, "text": HOSTILE}]
    run.session["excluded"] = {HOSTILE: HOSTILE}
    run.session["parameters"]["vms"] = {"1": {"memory_bytes": HOSTILE}}
    run.session["strategies"]["pin-vm"] = {"doc": HOSTILE, "origin": HOSTILE, "requires": [HOSTILE]}
    return compare(run)


def test_page_is_whole_and_needs_nothing_else() -> None:
    text = render_html(compare(full_run()))
    page = Page(text)
    assert page.open == []
    assert page.tags <= KNOWN
    assert not page.attributes & {"src", "href", "style", "onclick"}
    assert not re.search(r"https?:|@import|url\(|//", text.replace("  // Without", ""))


def test_page_with_charts_is_whole_and_needs_nothing_else() -> None:
    run = full_run()
    text = render_html(compare(run), charts_of(run))
    page = Page(text)
    assert page.open == []
    assert page.tags <= KNOWN
    assert page.scripts == SCRIPTS
    assert not page.attributes & {"src", "href", "onclick"}
    assert "default-src 'none'" in text
    assert "form-action 'none'; base-uri 'none'" in text
    assert len(text.encode()) < 6_000_000


def test_parts_stand_in_the_order_in_which_a_reader_decides() -> None:
    run = full_run()
    text = render_html(compare(run), charts_of(run))
    marks = ['id="answer"', 'id="losses"', 'id="comparison"', "<h3>Left out", 'id="pareto"',
             'id="pinned"', 'id="blackouts"', 'id="blackout-lengths"', 'id="outcomes"',
             'id="profile-fidelity"', 'id="assumed"', 'id="input"', "<dt>Command</dt>",
             "<h2>All columns"]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_excluded_strategies_stand_below_the_comparison_with_their_reason() -> None:
    text = render_html(compare(full_run()))
    assert "<dt>trap-eret</dt><dd>needs FEAT_FGT</dd>" in text


def test_overview_holds_the_values_of_the_json_report() -> None:
    run = full_run()
    table = render_html(compare(run)).partition('id="comparison"')[2].partition("</table>")[0]
    counters = re.findall(r'data-counter="(\w+)"', table)
    report = json.loads(render_json(run))["strategies"]
    for name in report:
        row = table.partition(f'data-strategy="{name}"')[2].partition("</tr>")[0]
        values = dict(zip(counters, re.findall(r'<data value="(\d+)"', row), strict=True))
        for counter in set(counters) & set(report[name]["total"]):
            assert int(values[counter]) == report[name]["total"][counter]
    assert {"captured", "pinned_bytes_peak", "overhead_ns", "blackouts"} <= set(counters)


def test_fidelity_section_says_why_there_is_none() -> None:
    run = full_run()
    run.session["fidelity_left_out"] = "the inputs hold no SPE records"
    assert "Not compared: the inputs hold no SPE records." in render_html(compare(run))
    assert "did not ask for it" in render_html(compare(full_run()))


def test_fidelity_table_marks_skew_and_keeps_exact_values() -> None:
    run = full_run()
    run.fidelity = fidelity()
    text = render_html(compare(run), charts_of(run))
    table = text.partition('id="fidelity-table"')[2].partition("</table>")[0]
    assert '<td class="loss"><data value="0.25">0.25</data> skewed' in table
    assert '<data value="-3.0">-3 cycles</data>' in table
    assert "pin-vm" not in table
    assert "map-on-fault skews PCs (functions)" in compare(run).answer[-1]


def test_fidelity_of_strategies_that_lose_nothing_is_said() -> None:
    run = full_run()
    run.fidelity = FIDELITY.from_rows(
        [("pin-vm", "pc", "functions", "1", 9, 9, 0.0, 0.0, 0.0, False)]
    )
    assert "No strategy loses a record" in render_html(compare(run), charts_of(run))


def fidelity() -> pa.Table:
    return FIDELITY.from_rows(
        [
            ("map-on-fault", "pc", "functions", "1", 300_000, 299_980, 0.25, 0.01, 0.02, True),
            ("map-on-fault", "latency_p50", "total latency", "cycles", 9, 8, -3.0, 1.0, 4.0, False),
            ("pin-vm", "pc", "functions", "1", 300_000, 300_000, 0.0, 0.0, 0.0, False),
        ]
    )


def test_page_adapts_to_theme_width_and_paper() -> None:
    text = render_html(compare(small_run()))
    for part in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem",
                 'name="viewport"', 'lang="en"', 'data-theme="auto"', '[data-theme="dark"]'):  # fmt: skip
        assert part in text


def test_hostile_strings_stay_text() -> None:
    page = Page(render_html(hostile()))
    assert page.open == []
    assert page.tags <= KNOWN


def test_hostile_strategy_name_stays_text_in_charts() -> None:
    values = counters(captured=7, lost_blackout=2, pinned_bytes_peak=4096)
    name = HOSTILE.replace("\udcff", "")
    run = run_of({name: {"vms": {"0": values}, "total": values}})
    run.blackouts = BLACKOUTS.from_rows([(name, 0, 1, 10, 1010, name, None, None, 7)])
    run.pinned = PINNED.from_rows([(name, 0, 10, 4096)])
    charts = charts_of(run)
    assert [c.name for c in charts] == ["pareto", "pinned", "blackouts", "blackout-lengths", "outcomes"]  # fmt: skip
    text = render_html(compare(run), charts)
    page = Page(text)
    assert page.open == []
    assert page.tags <= KNOWN
    assert page.scripts == SCRIPTS
    assert "<script>alert" not in text
    assert "<script" not in json.dumps([chart.traces for chart in charts])


def test_hostile_strings_can_be_written_and_shown() -> None:
    comparison = hostile()
    console = Console(file=StringIO(), width=80, force_terminal=True)
    console.print(render_terminal(comparison))
    shown = console.file.getvalue()
    assert "\x1b[2J" not in shown
    assert "[bold]" in shown
    for text in (render_html(comparison), render_mail(comparison), shown):
        assert "\u202e" not in text
        assert text.encode("utf-8")
    assert all(len(line) <= 72 for line in render_mail(comparison).splitlines())
