"""A real Chromium and three running installations: the sample's replay, a local Yahoo, an account.

They end with the last browser test of a process: what runs on takes time from the tests after it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from app.clock import Clock
from tests.browser.members import Member, join
from tests.fakes.yahoo import FakeYahoo
from tests.sites import Site, running_site, yahoo_process, yahoo_settings

# New York is open, Seoul closed; the newest bars are of Friday. All processes share the origin.
ORIGIN = Clock().now().timestamp()
MONDAY_CLOCK = Clock(start=datetime(2013, 3, 4, 15, tzinfo=UTC), _origin=ORIGIN)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--single-threaded",  # no threads to compile in: 7 % less CPU time
]


expect.set_options(timeout=60_000)  # ms: a busy machine is no fault
WHOLE = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "NO CHROMIUM: the browser tests did not run (install one, e.g. Debian's)"
SHELL = "chromium-headless-shell"  # no windows, no notifications; two thirds of the time


def chromium_path(*, whole: bool = False) -> str | None:
    """A Chromium on the PATH or at its usual place; None: Playwright's own, if there is one."""
    for name in WHOLE if whole else (SHELL, *WHOLE):
        if found := shutil.which(name):
            return found
    return "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None


@asynccontextmanager
async def launched(*, whole: bool = False) -> AsyncIterator[Browser]:
    """Headless Chromium; absent, the browser tests are skipped (or fail, if one is required)."""
    async with async_playwright() as playwright:
        path = chromium_path(whole=whole)
        if path is None and not Path(playwright.chromium.executable_path).exists():
            if os.environ.get("SISE_REQUIRE_BROWSER") == "1":
                pytest.fail(NO_CHROMIUM)
            pytest.skip(NO_CHROMIUM)
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """All that is skipped without a browser is skipped at one place: the summary has one line."""
    report = yield
    if isinstance(report.longrepr, tuple) and NO_CHROMIUM in report.longrepr[2]:
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """The browser of nearly all tests: the shell, where there is one."""
    async with launched() as browser:
        yield browser


@pytest.fixture(scope="package")
async def whole_browser() -> AsyncIterator[Browser]:
    """A browser that shows notifications."""
    async with launched(whole=True) as browser:
        yield browser


@pytest.fixture(scope="package")
def sample_site() -> Iterator[Site]:
    """An installation with the sample, replaying quickly."""
    with running_site(SISE_PRICE_SOURCE="sample", SISE_REPLAY_STEP="0.5") as site:
        yield site


@pytest.fixture(scope="package")
def yahoo_peer() -> Iterator[FakeYahoo]:
    """The local Yahoo of the installation below, with 200 ms of latency."""
    with yahoo_process(latency=0.2) as server:
        yield server


@pytest.fixture(scope="package")
def yahoo_site(yahoo_peer: FakeYahoo) -> Iterator[Site]:
    """An installation that collects from the local Yahoo, on the Monday after its last session."""
    with running_site(
        **yahoo_settings(yahoo_peer), SISE_CLOCK=f"2013-03-04T15:00:00Z@1@{ORIGIN}"
    ) as site:
        yield site


@pytest.fixture(scope="package")
def member() -> Iterator[Member]:
    """Who has signed in to an installation of its own: an account ends the first run's rules."""
    with running_site(SISE_PRICE_SOURCE="sample", SISE_REPLAY_STEP="1") as site:
        yield join(site)
