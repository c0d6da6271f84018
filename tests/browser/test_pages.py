"""Every page in Chromium: opens from disk by itself, draws its charts, fits screens and paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import DESKTOP, PHONE, Opened

DRAWN = (
    "spe/report.html", "churn/report.html", "kvm/kvm.html", "profile/profile.html",
    "sweep/report.html",
)  # fmt: skip
PAGES = (*DRAWN, "compare/compare.html")
SCREENS = {"desktop": DESKTOP, "tablet": {"width": 768, "height": 1024}, "phone": PHONE}
PAPER = {"width": 718, "height": 1000}
"""An A4 page between its margins, in CSS pixels."""
SHRUNK = 4 / 3
"""How much wider than the paper a page may be: Chromium prints it smaller then, and whole."""
OVERFLOWING = """() => [...document.body.querySelectorAll('*')].filter((e) => {
  const style = getComputedStyle(e);
  const clips = ['hidden', 'clip'].includes(style.overflowX);
  return clips && e.scrollWidth > e.clientWidth + 1 && e.textContent.trim() &&
    !e.closest('.chart');
}).map((e) => e.outerHTML.slice(0, 120))"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
BEYOND = """() => [...document.body.querySelectorAll('*')].filter((e) =>
  !e.closest('.scroll') && !e.closest('svg') && e.getClientRects().length &&
  (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)
).map((e) => e.outerHTML.slice(0, 120))"""
CHART_TEXTS = """(id) => {
  const chart = document.getElementById(id), frame = chart.getBoundingClientRect();
  const places = [...chart.querySelectorAll('.xtitle, .ytitle, .x2title, .legend, .xtick text, .ytick text')]
    .filter((e) => e.getBoundingClientRect().width)
    .map((e) => ({kind: e.closest('.legend') ? 'legend' : e.closest('.xtick') ? 'xtick'
      : e.closest('.ytick') ? 'ytick' : 'title', text: e.textContent.slice(0, 60),
      turned: /rotate\\((?!0[,)])/.test(e.getAttribute('transform') || ''), box: e.getBoundingClientRect()}));
  const outside = places.filter(({box}) => box.left < frame.left - 1 || box.right > frame.right + 1 ||
    box.top < frame.top - 1 || box.bottom > frame.bottom + 1).map(({text}) => 'outside: ' + text);
  const big = places.filter(({kind}) => kind !== 'xtick' && kind !== 'ytick');
  const cover = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const covered = big.flatMap((a, n) => places.filter((b) => b !== a &&
    (big.indexOf(b) < 0 || big.indexOf(b) > n) && cover(a.box, b.box))
    .map((b) => `${a.text} on ${b.text}`));
  const ticks = places.filter(({kind, turned}) => !turned && (kind === 'ytick' || kind === 'xtick'));
  const crowded = ticks.flatMap((a, n) => ticks.slice(n + 1).filter((b) => a.kind === b.kind &&
    cover(a.box, b.box)).map((b) => `${a.text} on ${b.text}`));
  return [...outside, ...covered, ...crowded];
}"""


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_each_screen(open_page: Callable[..., Opened], tmp_path: Path, name: str) -> None:
    opened = open_page(name)
    for screen, size in SCREENS.items():
        opened.page.set_viewport_size(size)
        opened.settle()
        if screen != "tablet":
            opened.page.screenshot(path=tmp_path / f"{screen}.png", full_page=True)
        scrolled, visible = opened.ask(WIDTHS)
        assert scrolled <= visible, screen
        assert opened.ask(BEYOND) == [], screen
        assert opened.ask(OVERFLOWING) == [], screen
        for chart in opened.charts:
            assert opened.ask(CHART_TEXTS, chart) == [], (screen, chart)
    opened.page.set_viewport_size(DESKTOP)


@pytest.mark.parametrize("name", DRAWN)
def test_every_chart_is_drawn(open_page: Callable[..., Opened], name: str) -> None:
    opened = open_page(name)
    assert opened.charts
    for chart in opened.charts:
        drawn = opened.ask(
            "(id) => { const c = document.getElementById(id); return {"
            "traces: c.data.length, label: c.getAttribute('aria-label'),"
            "marks: c.querySelectorAll('.trace path, .trace .point, .hm image, .trace .points path,"
            " .fills path, .annotation').length}; }",
            chart,
        )
        assert drawn["traces"] > 0, chart
        assert drawn["marks"] > 0, chart
        assert len(drawn["label"]) > 20, chart


@pytest.mark.parametrize("name", PAGES)
def test_page_prints_in_light_colours(
    open_page: Callable[..., Opened], tmp_path: Path, name: str
) -> None:
    opened = open_page(name)
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.set_viewport_size(PAPER)
    opened.ask("() => dispatchEvent(new Event('beforeprint'))")
    opened.settle()
    opened.page.screenshot(path=tmp_path / "print.png", full_page=True)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    assert opened.ask(ground) == "rgb(255, 255, 255)"
    assert not opened.page.locator("#theme").is_visible()
    assert opened.ask(WIDTHS)[0] <= PAPER["width"] * SHRUNK
    for chart in opened.charts:
        box = opened.page.locator(f"[id='{chart}'] .main-svg").first.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PAPER["width"], chart
    opened.ask("() => dispatchEvent(new Event('afterprint'))")
    opened.page.emulate_media(media="screen", color_scheme="light")
    opened.page.set_viewport_size(DESKTOP)
    opened.settle()
