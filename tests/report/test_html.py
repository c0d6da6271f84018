from __future__ import annotations

import re
from html.parser import HTMLParser
from io import StringIO

from rich.console import Console
from runs import counters, full_run, run_of, small_run

from spetrace.report.comparison import Comparison, compare
from spetrace.report.html import render_html
from spetrace.report.mail import render_mail
from spetrace.report.terminal import render_terminal

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J[bold]\u202e\udcff\n.data"
VOID = {"meta", "br"}
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "header", "section", "h1", "h2", "p", "div",
    "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "data", "code", "br", "ul", "li",
    "dl", "dt", "dd",
}  # fmt: skip


class Page(HTMLParser):
    """Checks that tags nest, and collects tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
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
    assert not re.search(r"https?:|@import|url\(|//", text)


def test_page_adapts_to_theme_width_and_paper() -> None:
    text = render_html(compare(small_run()))
    for part in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem",
                 'name="viewport"', 'lang="en"', "color-scheme: light dark"):  # fmt: skip
        assert part in text


def test_hostile_strings_stay_text() -> None:
    page = Page(render_html(hostile()))
    assert page.open == []
    assert page.tags <= KNOWN


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
