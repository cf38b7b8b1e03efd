"""Screenshots of every page from running installations: `make shots` writes them to shots/.

`shots/{site}-{page}-{width}-{locale}-{theme}-{colors}.png` for the sample's replay, the local
Yahoo and somebody's account, at three widths, in two languages, themes and colour settings: each reader opens each page
once, in one browser, and makes the window wider. `--readme` writes the two pictures of the READMEs
instead.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.conftest import ARGUMENTS, ORIGIN, chromium_path
from tests.browser.members import join
from tests.browser.visiting import HEIGHTS, PAGES, SETTINGS, WIDTHS, Choices, go, visiting
from tests.sites import running_site, yahoo_process, yahoo_settings

Setting = tuple[str, str, str]

ROOT = Path(__file__).resolve().parent.parent.parent
README = {
    "dashboard": Choices("en", "light", "us", 1440),
    "dashboard-ko": Choices("ko", "dark", "kr", 1440),
}
AT_ONCE = 3
PAINTED = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


async def take(page: Page) -> bytes:
    """What the window shows as PNG, once it is painted; whatever moves is at its end."""
    await page.evaluate(PAINTED)
    return await page.screenshot(animations="disabled", caret="hide")


async def take_whole(page: Page, width: int) -> bytes:
    """The page in a window as high as it is: what is fixed to the lower edge lies at its end."""
    await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": width, "height": height})
    return await take(page)


@dataclass(frozen=True)
class Tour:
    """An installation, the pages that are looked at, and who has signed in."""

    url: str
    pages: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)


async def shoot(browser: Browser, tour: Tour, site: str, folder: Path, setting: Setting) -> int:
    """Every page of one reader at every width; how many pictures were made."""
    async with visiting(browser, tour.url, Choices(*setting), **tour.options) as (page, _):
        for name, path in tour.pages.items():
            await go(page, path)
            for width in WIDTHS:
                title = "-".join([site, name, str(width), *setting])
                (folder / f"{title}.png").write_bytes(await take_whole(page, width))
    return len(tour.pages) * len(WIDTHS)


async def shoot_all(browser: Browser, tours: dict[str, Tour], folder: Path) -> int:
    """Every page of the installations in every setting, some readers at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(site: str, setting: Setting) -> int:
        async with gate:
            return await shoot(browser, tours[site], site, folder, setting)

    async with asyncio.TaskGroup() as group:
        made = [group.create_task(one(*each)) for each in product(tours, SETTINGS)]
    return sum(task.result() for task in made)


async def shoot_readme(browser: Browser, url: str) -> None:
    """The dashboard for the READMEs, with few colours so that the files stay small."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name, choices in README.items():
        async with visiting(browser, url, choices) as (page, _):
            await go(page, "/")
            picture = Image.open(io.BytesIO(await take(page)))
        small = picture.convert("RGB").quantize(128)
        small.save(folder / f"{name}.png", optimize=True)


async def run(*, readme: bool) -> None:
    """Starts the installations and takes the pictures."""
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    yahoo = {"SISE_CLOCK": f"2013-03-04T15:00:00Z@1@{ORIGIN}"}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with running_site(SISE_PRICE_SOURCE="sample", SISE_REPLAY_STEP="1") as sample:
            if readme:
                await asyncio.sleep(8)
                await shoot_readme(browser, sample.url)
                return
            with (
                yahoo_process() as peer,
                running_site(**yahoo_settings(peer), **yahoo) as live,
                running_site(SISE_PRICE_SOURCE="sample") as own,
            ):
                member = await asyncio.to_thread(join, own)
                tours = {
                    "sample": Tour(sample.url, PAGES),
                    "yahoo": Tour(live.url, PAGES),
                    "own": Tour(own.url, member.pages, {"storage_state": member.state}),
                }
                made = await shoot_all(browser, tours, folder)
        await browser.close()
    print(f"{made} pictures in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="the pictures of the READMEs only")
    asyncio.run(run(readme=parser.parse_args().readme))
