"""The browser tests see what they are to see: requests and errors of a page that has some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from opened import opened_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ADDRESS = "http://192.0.2.1/plotly.js"


def test_requests_and_errors_of_a_page_are_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<script src='{ADDRESS}'></script><script>missing();</script>")
    opened = opened_page(browser, page)
    opened.close()
    assert opened.requests == [ADDRESS]
    assert any("missing is not defined" in text for text in opened.errors)
