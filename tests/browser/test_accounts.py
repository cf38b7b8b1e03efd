"""People in a real browser: signing up and in, choices that stay, and a token that a program uses."""

from __future__ import annotations

import re
from itertools import count

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.inspecting import ask_axe, audit
from tests.browser.members import Member
from tests.browser.visiting import HEIGHTS, LOCALES, Choices, all_settings, go, visiting
from tests.people import PASSWORD
from tests.sites import Site

NUMBERS = count(1)


@pytest.fixture
def site(member: Member) -> Site:
    """The installation that has accounts."""
    return member.site


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


@pytest.mark.parametrize(("locale", "theme", "colors"), all_settings())
async def test_every_page_of_an_account_is_whole_clean_and_quiet(
    browser: Browser, member: Member, locale: str, theme: str, colors: str
) -> None:
    """Names of people, tokens, portfolios and lists are Latin: on a Korean page each says so."""
    found: dict[str, list[str]] = {}
    choices, width = Choices(locale, theme, colors), 390 if theme == "dark" else 1440
    options = {"storage_state": member.state}
    async with visiting(browser, member.site.url, choices, **options) as (page, watch):
        for number, (name, path) in enumerate(member.pages.items()):
            before = 390 if number % 2 else 1440
            await page.set_viewport_size({"width": before, "height": HEIGHTS[before]})
            await go(page, path)
            assert page.url == member.site.url + path
            assert await page.locator(".person").count() == 1
            faults = await audit(page, name)
            if name == "people":
                await page.click(".delete-person summary")
            found[name] = faults + await ask_axe(page, name, theme, width)
            found[name] += await page.evaluate("window.violations") + watch.faults
        await begin_second_factor(page)
        found["enrolment"] = await ask_axe(page, "enrolment", theme, width)
        await page.click(".person")
        found["menu"] = await ask_axe(page, "menu", theme, width)
    assert found == {name: [] for name in found}


BAR = """() => {
  const more = document.getElementById('more');
  more.showPopover();
  const shown = [...document.querySelectorAll('.nav a')].filter((link) => link.offsetWidth);
  const ends = [more.getBoundingClientRect().right, document.documentElement.scrollWidth];
  more.hidePopover();
  return { inside: Math.max(...ends), links: shown.map((link) => link.pathname) };
}"""
"""How far bar and open menu reach, and where their links lead: each stands in one of them."""


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_bar_keeps_its_links_at_every_width(
    browser: Browser, member: Member, locale: str
) -> None:
    options = {"storage_state": member.state}
    async with visiting(browser, member.site.url, Choices(locale), **options) as (page, _):
        await go(page, "/watchlists")
        for width in (720, 900, 1000, 1100, 1280, 1366, 1500):  # where the top bar grows by a part
            await page.set_viewport_size({"width": width, "height": 800})
            told = await page.evaluate(BAR)
            assert told["inside"] <= width
            assert len(told["links"]) == len(set(told["links"])) == 12, width


async def begin_second_factor(page: Page) -> None:
    """The picture for an authenticator."""
    await go(page, "/settings/security")
    await page.click("main form:has([value=begin]) [type=submit]")
    await page.wait_for_selector(".qr")


async def test_an_administrator_changes_an_account_without_javascript(browser, member) -> None:
    options = {"java_script_enabled": False, "storage_state": member.state}
    async with visiting(browser, member.site.url, **options) as (page, _):
        await page.goto("/settings/people?search=keeper")
        for act, said in (("deactivate", "Disabled"), ("activate", None)):
            await page.click(f"main button[value={act}]")
            await page.wait_for_url(f"**done={act}&search=keeper")
            row = await page.inner_text(".people li")
            assert ("Disabled" in row) == (said is not None)
        await page.click(".delete-person summary")
        await page.fill("#delete-1-confirm", "someone else")
        async with page.expect_navigation():
            await page.click("main button[value=delete]")
        assert await page.inner_text("#delete-1-confirm-error")
        assert await page.locator(".people li").count() == 1


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
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await page.goto("/settings/tokens")
        await page.fill("#name", "bot")
        await page.click("main form button.primary")
        assert (await page.input_value("#token")).startswith("stk_")
        await page.click(".person")
        await page.click("#person button:has-text('Sign out')")
        await page.wait_for_url(re.compile(r"/$"))
        await page.goto("/settings/account")
        assert await page.locator("main a[href^='/login']").count() == 1
