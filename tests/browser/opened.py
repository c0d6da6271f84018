"""One page opened in a browser: what it asked for and complained of, and questions to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
OWN = ("file:", "data:", "blob:")


@dataclass
class Opened:
    """A page with what went wrong in it."""

    path: Path
    page: Page = field(repr=False)
    context: BrowserContext = field(repr=False)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Addresses that are not the page's own; each was refused."""

    def close(self) -> None:
        self.context.close()

    def ask(self, script: str, argument: Any = None) -> Any:
        """The value of a JavaScript function in the page."""
        return self.page.evaluate(script, argument)

    @property
    def charts(self) -> list[str]:
        """Ids of the charts, in the page's order."""
        return self.ask("() => [...document.querySelectorAll('.chart')].map((c) => c.id)")

    def settle(self) -> None:
        """Wait until what is to be drawn is drawn, after a change of size, theme or medium."""
        self.page.wait_for_timeout(150)
        self.ask(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )


def opened_page(browser: Browser, path: Path, **context: Any) -> Opened:
    """Open a file from disk with no network; by default on a desktop with a light theme."""
    settings = {"viewport": DESKTOP, "color_scheme": "light", "offline": True} | context
    made = browser.new_context(**settings)
    opened = Opened(path, made.new_page(), made)

    def decide(route: Route) -> None:
        if route.request.url.startswith(OWN):
            route.continue_()
        else:
            opened.requests.append(route.request.url)
            route.abort()

    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.page.on(
        "console",
        lambda message: (
            opened.errors.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    opened.page.route("**/*", decide)
    opened.page.goto(path.as_uri(), wait_until="load")
    return opened
