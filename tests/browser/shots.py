"""Screenshots of every page from running installations: `make shots` writes them to shots/.

`shots/{site}-{page}-{width}-{locale}-{theme}-{colors}.png` for the sample's replay and the local
Yahoo, at three widths, in two languages, themes and colour settings. `--readme` writes the two
pictures of the READMEs instead.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, async_playwright

from tests.browser.conftest import ARGUMENTS, ORIGIN, chromium_path
from tests.browser.visiting import COLORS, LOCALES, PAGES, THEMES, WIDTHS, Choices, go, visiting
from tests.sites import running_site, yahoo_process, yahoo_settings

ROOT = Path(__file__).resolve().parent.parent.parent
README = {
    "dashboard": Choices("en", "light", "us", 1440),
    "dashboard-ko": Choices("ko", "dark", "kr", 1440),
}
AT_ONCE = 3
STEADY = "*, ::after { animation: none !important; transition: none !important; }"


async def shoot(browser: Browser, url: str, path: str, choices: Choices, *, whole: bool) -> bytes:
    """One page as PNG, charts drawn, flashes off."""
    async with visiting(browser, url, choices, bypass_csp=True) as (page, _):
        await go(page, path)
        await page.add_style_tag(content=STEADY)
        await page.wait_for_timeout(300)
        return await page.screenshot(full_page=whole)


async def shoot_all(browser: Browser, url: str, site: str, folder: Path) -> int:
    """Every page in every setting; how many pictures were made."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, path: str, choices: Choices) -> None:
        async with gate:
            picture = await shoot(browser, url, path, choices, whole=True)
        setting = f"{choices.width}-{choices.locale}-{choices.theme}-{choices.colors}"
        (folder / f"{site}-{name}-{setting}.png").write_bytes(picture)

    settings = list(product(PAGES.items(), LOCALES, THEMES, COLORS, WIDTHS))
    async with asyncio.TaskGroup() as group:
        for (name, path), *rest in settings:
            group.create_task(one(name, path, Choices(*rest)))
    return len(settings)


async def shoot_readme(browser: Browser, url: str) -> None:
    """The dashboard for the READMEs, with few colours so that the files stay small."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name, choices in README.items():
        picture = Image.open(io.BytesIO(await shoot(browser, url, "/", choices, whole=False)))
        small = picture.convert("RGB").quantize(128)
        small.save(folder / f"{name}.png", optimize=True)


async def run(*, readme: bool) -> None:
    """Starts the installations and takes the pictures."""
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with running_site(SISE_PRICE_SOURCE="sample", SISE_REPLAY_STEP="1") as site:
            if readme:
                await asyncio.sleep(8)
                await shoot_readme(browser, site.url)
                return
            made = await shoot_all(browser, site.url, "sample", folder)
        clock = f"2013-03-04T15:00:00Z@1@{ORIGIN}"
        with (
            yahoo_process() as peer,
            running_site(**yahoo_settings(peer), SISE_CLOCK=clock) as site,
        ):
            made += await shoot_all(browser, site.url, "yahoo", folder)
        await browser.close()
    print(f"{made} pictures in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true", help="the pictures of the READMEs only")
    asyncio.run(run(readme=parser.parse_args().readme))
