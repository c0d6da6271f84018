"""Chromium, and the pages that it opens: made once from bundled recordings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from opened import Opened, opened_page

import spetrace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRACES = Path(__file__).resolve().parents[2] / "sample_traces"
NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "SPETRACE_REQUIRE_BROWSER"
"""Set to 1 where a missing browser fails the tests rather than skips them (CI)."""


def unavailable(reason: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED} is set, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system; skips (or fails, see REQUIRED) where there is none."""
    if not find_spec("playwright"):
        unavailable("playwright is not installed (pip install 'spetrace[test]')")
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        unavailable(f"no browser is installed: none of {', '.join(NAMES)} is on PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@cache
def recorded() -> spetrace.Session:
    folder = TRACES / "spe-on-kvm"
    files = (folder / "guest.perf.data", folder / "host.dat")
    return spetrace.open_session(*files, session_toml=folder / "session.toml")


def churn(output: Path) -> None:
    trace = TRACES / "kvm-churn" / "trace.dat"
    spetrace.replay(spetrace.open_session(trace, assume_spe={"period_ns": 50_000})).save(output)


def compared(output: Path) -> None:
    runs = [spetrace.replay(recorded(), page_size=size) for size in (4096, 65536)]
    spetrace.compare(*runs).save(output)


def sweep(output: Path) -> None:
    """A small sweep by the command line, in a process of its own: it starts others."""
    captures = [
        f"--capture={name}={TRACES / f'scenario-{folder}' / 'events.jsonl'}"
        for name, folder in (("swap", "swap-under-the-buffer"), ("eret", "eret-enables-profiling"))
    ]
    grid = ["--set=costs.irq_ns=500,5000", "--set=costs.pin_page_ns=100,900"]
    code = "import sys; from spetrace.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "sweep", *captures, *grid, "-o", str(output)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)


REPORTS: dict[str, Callable[[Path], object]] = {
    "spe": lambda output: spetrace.replay(recorded()).save(output),
    "churn": churn,
    "kvm": lambda output: recorded().kvm.save(output),
    "profile": lambda output: recorded().profile().save(output),
    "compare": compared,
    "sweep": sweep,
}


@pytest.fixture(scope="session")
def report_folder(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Callable[[str], Path]:
    """The folder of each of REPORTS, made when it is first asked for."""
    del browser
    whole = tmp_path_factory.mktemp("pages")

    def folder(name: str) -> Path:
        if not (whole / name).exists():
            REPORTS[name](whole / name)
        return whole / name

    return folder


@pytest.fixture(scope="session")
def pages(
    browser: Browser, report_folder: Callable[[str], Path]
) -> Iterator[Callable[..., Opened]]:
    """Opens pages of reports by folder and file; once in the same context."""
    opened: dict[str, Opened] = {}

    def opener(name: str, **context: object) -> Opened:
        key = f"{name} {context}"
        if key not in opened:
            folder, _, file = name.partition("/")
            opened[key] = opened_page(browser, report_folder(folder) / file, **context)
        return opened[key]

    yield opener
    for page in opened.values():
        page.close()


@pytest.fixture
def open_page(pages: Callable[..., Opened]) -> Iterator[Callable[..., Opened]]:
    """Gives pages as they came: each is checked for errors and requests when the test ends.

    A page is opened once for all tests: a test that changes one changes it back.
    """
    used: list[Opened] = []

    def opener(name: str, **context: object) -> Opened:
        used.append(pages(name, **context))
        return used[-1]

    yield opener
    for page in used:
        assert page.errors == [], f"{page.path} wrote to the console"
        assert page.requests == [], f"{page.path} asked for more than itself"
