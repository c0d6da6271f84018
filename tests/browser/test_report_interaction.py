"""What a reader does with report.html: sort, hover, change the theme, toggle and choose traces."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opened import PHONE, Opened

REPORT = "spe/report.html"
VALUES = """(counter) => {
  const heads = [...document.querySelector('#comparison').tHead.rows[0].cells];
  const column = heads.findIndex((head) => head.dataset.counter === counter);
  return [...document.querySelector('#comparison').tBodies[0].rows].map((row) =>
    Number(row.cells[column].querySelector('data').value));
}"""
STRATEGIES = (
    "() => [...document.querySelectorAll('#comparison tbody tr')].map((r) => r.dataset.strategy)"
)
GROUND = "() => getComputedStyle(document.body).backgroundColor"
PAPER = (
    """(id) => getComputedStyle(document.querySelector(`[id='${id}'] .main-svg`)).backgroundColor"""
)
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
VISIBLE = "(id) => document.getElementById(id).data.map((t) => t.visible ?? true)"


@pytest.fixture
def report(open_page: Callable[..., Opened]) -> Opened:
    """The report; tests leave its theme and its charts as they were."""
    return open_page(REPORT)


def sorting(report: Opened, counter: str) -> str:
    return report.page.locator(f"#comparison th[data-counter={counter}]").get_attribute("aria-sort")


def test_table_is_sorted_by_click_and_by_keyboard(report: Opened) -> None:
    report.page.reload()
    strategies = report.ask(STRATEGIES)
    assert strategies[:2] == ["bare-metal", "inject-abort"]
    button = report.page.locator("#comparison th[data-counter=overhead_ns] button")
    values = report.ask(VALUES, "overhead_ns")
    button.click()
    assert report.ask(VALUES, "overhead_ns") == sorted(values, reverse=True)
    assert sorting(report, "overhead_ns") == "descending"
    button.press("Enter")
    assert report.ask(VALUES, "overhead_ns") == sorted(values)
    assert sorting(report, "overhead_ns") == "ascending"
    button.press("Space")
    assert report.ask(STRATEGIES) == strategies
    assert sorting(report, "overhead_ns") == "none"
    report.page.locator("#comparison th[data-counter=captured] button").click()
    assert report.ask(VALUES, "captured")[0] == max(report.ask(VALUES, "captured"))
    report.page.locator("#comparison th:first-child button").click()
    assert report.ask(STRATEGIES) == sorted(strategies)
    report.page.reload()


def test_headings_are_reached_by_tab(report: Opened) -> None:
    report.page.locator("#comparison th:first-child button").focus()
    report.page.keyboard.press("Tab")
    head = "() => document.activeElement.closest('th').dataset.counter"
    assert report.ask(head) == "captured"
    report.page.keyboard.press("Enter")
    assert sorting(report, "captured") == "descending"
    report.page.reload()


@pytest.mark.parametrize("chart", ["pareto", "outcomes"])
def test_hovering_shows_a_label(report: Opened, chart: str) -> None:
    place = report.page.locator(f"#{chart}")
    place.scroll_into_view_if_needed()
    mark = place.locator(".trace .points path, .trace .point path").first
    box = mark.bounding_box()
    assert box is not None
    report.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    label = place.locator(".hoverlayer .hovertext").first
    label.wait_for(state="visible", timeout=5000)
    text = label.text_content()
    assert "undefined" not in text
    assert "%{" not in text
    named = [s for s in report.ask(STRATEGIES) if s in text]
    assert named
    captured = dict(zip(report.ask(STRATEGIES), report.ask(VALUES, "captured"), strict=True))
    assert any(f"{captured[strategy]:,}" in text for strategy in named)


def test_theme_follows_the_system_until_it_is_chosen(report: Opened) -> None:
    assert (report.ask(GROUND), report.ask(PAPER, "pareto")) == (LIGHT, LIGHT)
    report.page.emulate_media(color_scheme="dark")
    report.settle()
    assert (report.ask(GROUND), report.ask(PAPER, "pareto")) == (DARK, DARK)
    report.page.locator("#theme button[data-theme=light]").click()
    report.settle()
    assert (report.ask(GROUND), report.ask(PAPER, "pareto")) == (LIGHT, LIGHT)
    report.page.emulate_media(color_scheme="light")
    dark = report.page.locator("#theme button[data-theme=dark]")
    dark.press("Enter")
    report.settle()
    assert (report.ask(GROUND), report.ask(PAPER, "pareto")) == (DARK, DARK)
    assert dark.get_attribute("aria-pressed") == "true"
    report.page.reload()
    assert report.ask(GROUND) == DARK
    report.page.locator("#theme button[data-theme=auto]").click()
    assert report.ask(GROUND) == LIGHT


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(report: Opened, scheme: str) -> None:
    """Contrast of text is that of WCAG 2 AA: 4.5, 3 in charts' large marks left aside."""
    report.page.emulate_media(color_scheme=scheme)
    report.settle()
    low = report.ask("""() => {
      const parse = (c) => c.match(/[\\d.]+/g).map(Number);
      const light = (c) => { const [r, g, b] = parse(c).map((v) => v / 255).map((v) =>
        v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = (e) => { for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (c !== 'rgba(0, 0, 0, 0)' && c !== 'transparent') return c; } return 'rgb(255,255,255)'; };
      return [...document.body.querySelectorAll('p, td, th, dt, dd, li, h1, h2, h3, a, span, button')]
        .filter((e) => e.textContent.trim() && !e.closest('.chart') && e.getClientRects().length)
        .filter((e) => { const a = light(getComputedStyle(e).color), b = light(ground(e));
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5; })
        .map((e) => e.outerHTML.slice(0, 100));
    }""")
    report.page.emulate_media(color_scheme="light")
    assert low == []


def test_legend_toggles_a_trace(report: Opened) -> None:
    chart = report.page.locator("#outcomes")
    chart.scroll_into_view_if_needed()
    assert report.ask(VISIBLE, "outcomes")[0] is True
    entry = chart.locator(".legend .traces").first.locator(".legendtoggle")
    entry.click()
    report.page.wait_for_function(
        "() => document.getElementById('outcomes').data[0].visible === 'legendonly'"
    )
    report.page.wait_for_timeout(400)  # a second click within 300 ms would be a double click
    entry.click()
    report.page.wait_for_function(
        "() => document.getElementById('outcomes').data[0].visible === true"
    )


def test_chosen_strategy_is_what_is_drawn(report: Opened) -> None:
    select = report.page.locator("#blackouts-choice")
    before, note = report.ask(VISIBLE, "blackouts"), report.page.locator("#blackouts-note")
    said = note.text_content()
    select.select_option(index=1)
    report.settle()
    assert report.ask(VISIBLE, "blackouts") != before
    assert note.text_content() != said
    select.select_option(index=0)
    assert report.ask(VISIBLE, "blackouts") == before


def test_phone_scrolls_tables_by_themselves_and_charts_with_the_page(
    open_page: Callable[..., Opened],
) -> None:
    phone = open_page(REPORT, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.settle()
    assert phone.ask("() => innerWidth") == PHONE["width"]
    regions = phone.ask(
        "() => [...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth)"
        ".map((e) => [e.tabIndex, e.getAttribute('aria-label')])"
    )
    assert regions
    assert all(index == 0 and label for index, label in regions)
    first = "(n) => { const s = document.querySelector('#comparison').closest('.scroll'); s.scrollLeft = n;"
    first += (
        " return document.querySelector('#comparison tbody th').getBoundingClientRect().left; }"
    )
    assert phone.ask(first, 200) == pytest.approx(phone.ask(first, 0), abs=1)
    assert phone.ask("() => document.getElementById('pareto').layout.dragmode") is False
