"""People in a real browser: signing up and in, choices that stay, and a token that a program uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_accessibility import AXE, RUN
from tests.browser.test_layout_dom import audit
from tests.browser.visiting import LOCALES, Choices, go, visiting
from tests.people import PASSWORD
from tests.sites import Site, running_site

SIGNED_IN = {
    "settings": "/settings",
    "account": "/settings/account",
    "security": "/settings/security",
    "tokens": "/settings/tokens",
    "people": "/settings/people",
}
NUMBERS = count(1)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """An installation of its own: the first account ends the rule of the person at the machine."""
    with running_site(SISE_PRICE_SOURCE="sample", SISE_REPLAY_STEP="60") as site:
        yield site


async def sign_up(page: Page, word: str = "reader") -> str:
    """A new account by the form; its name."""
    number = next(NUMBERS)
    name = f"{word}{number}"
    await go(page, "/register")
    await page.fill("#username", name)
    await page.fill("#email", f"reader{number}@example.com")
    await page.fill("#password", PASSWORD)
    await page.check("[name=disclaimer]")
    await page.click("main form button[type=submit]")
    await page.wait_for_url(re.compile(r"/$"))
    return name


async def test_one_signs_up_and_in_chooses_and_makes_a_token_that_works(browser, site) -> None:
    async with visiting(browser, site.url, Choices("en", "light", "us")) as (page, watch):
        name = await sign_up(page)
        await page.click(".person")
        await page.click("#person button:has-text('Sign out')")
        await page.wait_for_url(re.compile(r"/$"))
        await go(page, "/settings/tokens")
        await page.click("main a:has-text('Sign in')")
        await page.fill("#username", name)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url("**/settings/tokens")

        await go(page, "/settings")
        await page.click("label:has-text('Dark')")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await page.click("label:has-text('한국어')")
        await expect(page.locator("html")).to_have_attribute("lang", "ko")
        await page.click("nav.sections a[href='/settings/tokens']")
        await page.fill("#name", "bot")
        await page.click("main form button.primary")
        token = await page.input_value("#token")
        await go(page, "/settings/tokens")
        assert token not in await page.content()
        assert watch.faults == [f for f in watch.faults if "status of 401" in f]
        assert await page.evaluate("window.violations") == []
    answer = httpx.post(
        f"{site.url}/graphql",
        json={"query": "{ me { username locale theme } instruments(first: 1) { totalCount } }"},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    assert answer["data"]["me"] == {"username": name, "locale": "KO", "theme": "DARK"}
    assert answer["data"]["instruments"]["totalCount"] > 0
    async with visiting(browser, site.url, Choices("en", "light", "us")) as (page, _):
        await go(page, "/login")  # another browser, with choices of its own
        await page.fill("#username", name)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(re.compile(r"/$"))
        await expect(page.locator("html")).to_have_attribute("lang", "ko")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_one_signs_in_by_the_keyboard_alone(browser, site) -> None:
    async with visiting(browser, site.url) as (page, _):
        name = await sign_up(page)
        await page.context.clear_cookies()
        await go(page, "/settings/account")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await press_until(page, "main a[href^='/login']")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/login?next=/settings/account")
        await press_until(page, "#username")
        await page.keyboard.type(name)
        await page.keyboard.press("Tab")
        await page.keyboard.type("not the password")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#password-error")
        assert await page.evaluate("document.activeElement.id") == "password"
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/settings/account")
        await press_until(page, ".person")
        await page.keyboard.press("Enter")
        await expect(page.locator("#person")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#person")).to_be_hidden()


async def press_until(page: Page, selector: str) -> None:
    """Tab, until the focus is there."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"the keyboard does not come to {selector}")


@pytest.mark.parametrize(("theme", "locale"), [("dark", "ko"), ("light", "en")])
async def test_axe_finds_nothing_on_a_page_of_an_account(browser, site, theme, locale) -> None:
    found = {}
    async with visiting(browser, site.url, Choices(locale, theme), bypass_csp=True) as (page, _):
        await sign_up(page)
        for name in ("settings", "account", "security", "tokens"):
            await go(page, SIGNED_IN[name])
            await page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
            found[name] = await page.evaluate(RUN)
        await go(page, "/settings/security")
        await page.click("main form button[type=submit] >> nth=0")
        await page.wait_for_selector(".qr")
        await page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found["enrolment"] = await page.evaluate(RUN)
        await page.click(".person")
        found["menu"] = await page.evaluate(RUN)
    assert found == {name: [] for name in found}


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_page_of_an_account_is_whole(browser: Browser, site: Site, locale: str) -> None:
    async with visiting(browser, site.url, Choices(locale)) as (page, _):
        await sign_up(page, "독자" if locale == "ko" else "reader")
        faults: list[str] = []
        for name in ("settings", "account", "security", "tokens"):
            await go(page, SIGNED_IN[name])
            faults += await audit(page, name)
        await page.fill("#name", "봇" if locale == "ko" else "bot")
        await page.click("main form button.primary")
        await page.wait_for_selector("#token")
        faults += await audit(page, "a new token")
        await go(page, "/settings/security")
        await page.click("main form button[type=submit] >> nth=0")
        await page.wait_for_selector(".qr")
        faults += await audit(page, "enrolment")
    assert faults == []


async def test_without_javascript_one_signs_up_chooses_and_makes_a_token(browser, site) -> None:
    async with visiting(browser, site.url, java_script_enabled=False) as (page, _):
        await page.goto("/register")
        name = f"reader{next(NUMBERS)}"
        await page.fill("#username", name)
        await page.fill("#email", "not-an-address@x")
        await page.fill("#password", PASSWORD)
        await page.check("[name=disclaimer]")
        await page.click("main form button[type=submit]")
        assert await page.inner_text("#email-error")
        assert await page.input_value("#username") == name
        assert await page.input_value("#password") == ""
        await page.fill("#email", f"{name}@example.com")
        await page.fill("#password", PASSWORD)
        await page.click("main form button[type=submit]")
        await page.wait_for_url(re.compile(r"/$"))
        await page.goto("/settings")
        await page.click("label:has-text('Dark')")
        await page.click("main form button:has-text('Save')")
        assert await page.get_attribute("html", "data-theme") == "dark"
        await page.goto("/settings/tokens")
        await page.fill("#name", "bot")
        await page.click("main form button.primary")
        assert (await page.input_value("#token")).startswith("stk_")
        await page.click(".person")
        await page.click("#person button:has-text('Sign out')")
        await page.goto("/settings/account")
        assert await page.locator("main a[href^='/login']").count() == 1


async def test_a_technical_word_explains_itself_by_the_keyboard(browser, sample_site) -> None:
    async with visiting(browser, sample_site.url, java_script_enabled=False) as (page, _):
        await page.goto("/setup?step=follow")
        text = page.locator("#term-index")
        await expect(text).to_be_hidden()
        await page.focus("[popovertarget='term-index']")
        await page.keyboard.press("Enter")
        await expect(text).to_be_visible()
        box, word = (
            await text.bounding_box(),
            await page.locator("[popovertarget='term-index']").bounding_box(),
        )
        assert box is not None
        assert word is not None
        assert 0 <= box["y"] - (word["y"] + word["height"]) < 20
        await page.keyboard.press("Escape")
        await expect(text).to_be_hidden()
