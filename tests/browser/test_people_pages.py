"""The pages on coming in and on one's account in every state that they have: whole, and axe clean."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from app.config import Settings
from app.domain.access import Role
from app.domain.totp import compute_code
from app.env import Env
from app.providers import Provider
from app.services.people.second_factor import begin_second_factor, confirm_second_factor
from tests.browser.inspecting import ask_axe, audit
from tests.browser.visiting import LOCALES, Choices, go, visiting
from tests.graphql.asking import choose_source
from tests.mailing import SENDER
from tests.people import PASSWORD, make_user
from tests.serving import served

NOWHERE = "https://home.example"
PROVIDERS = (Provider("home", "Home", NOWHERE, "sise", "x" * 32),)
CODES = 6  # digits of an authenticator's code


def code_of(env: Env, secret: str) -> str:
    """What an authenticator shows now."""
    step = int(env.clock.now().timestamp()) // 30
    return compute_code(base64.b32decode(secret), step)


@pytest.fixture
async def recovery(env: Env) -> list[str]:
    """Recovery codes of alice, an administrator with a second factor; bob has an account, too."""
    await choose_source(env)
    alice = await make_user(env, role=Role.ADMIN, accepts=False)
    await make_user(env, "bob")
    secret = (await begin_second_factor(env, alice.id)).secret
    return await confirm_second_factor(env, alice.id, code_of(env, secret))


@pytest.fixture
def url(env: Env, settings: Settings) -> AsyncIterator[str]:
    """Where mail is sent, another site vouches for people, and one registers by invitation."""
    mail = {"smtp_url": "smtp+plain://127.0.0.1:1", "mail_from": SENDER}
    with served(replace(settings, registration="invite", providers=PROVIDERS, **mail)) as url:
        yield url


async def send(page: Page, button: str = "main form button.primary") -> None:
    """Sends a form and waits until what comes is shown."""
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.click(button)
    await expect(page.locator(".htmx-request")).to_have_count(0)
    await page.wait_for_load_state("load")


async def come_in(page: Page, recovery: list[str]) -> AsyncIterator[str]:
    """Every state on the way to a signed-in browser, by its name."""
    await go(page, "/login?next=/settings/security")
    yield "sign in"
    await page.fill("#username", "alice")
    await page.fill("#password", "wrong")
    await send(page)
    yield "wrong password"
    await go(page, "/register?invitation=abc")
    yield "register"
    for name, text in (("username", "a b"), ("email", "x@y"), ("password", "short")):
        await page.fill(f"#{name}", text)
    await page.check("[name=disclaimer]")
    await send(page)
    yield "refused registration"
    await go(page, "/forgot")
    yield "forgot"
    await page.fill("#email", "alice@example.com")
    await send(page)
    yield "sent"
    await go(page, "/reset?token=x")
    yield "reset"
    await go(page, "/confirm?token=x")
    await send(page)
    yield "refused link"
    await go(page, "/login?next=/settings/security")
    await page.fill("#username", "alice")
    await page.fill("#password", PASSWORD)
    await send(page)
    yield "second factor"
    await page.fill("#code", "000000")
    await send(page)
    yield "wrong code"
    await page.fill("#code", recovery[0])
    await send(page)
    await page.wait_for_url("**/disclaimer?next=**")
    yield "disclaimer"
    await send(page)
    await page.wait_for_url("**/settings/security")


async def look_around(page: Page, env: Env) -> AsyncIterator[str]:
    """Every state of the pages of an account, by its name."""
    yield "security"
    await page.evaluate("""addEventListener("submit", (event) => {
      window.sent = true; event.preventDefault();
    }, {capture: true, once: true})""")
    await page.fill("#provider-password", PASSWORD)
    await page.press("#provider-password", "Enter")
    assert await page.evaluate("window.sent") is None, "Enter chose a site to connect"
    await go(page, "/settings/security")
    await page.fill("#renew-password", PASSWORD)
    await send(page, "main button[value=renew]")
    await page.wait_for_selector(".codes")
    yield "other recovery codes"
    await go(page, "/settings/security")
    await page.fill("#off-password", PASSWORD)
    async with page.expect_navigation(url="**/settings/security?done=off"):
        await page.press("#off-password", "Enter")  # it made new codes
    await send(page, "main form:has([value=begin]) [type=submit]")
    await page.wait_for_selector(".qr")
    yield "enrolment"
    await page.fill("#code", code_of(env, await page.input_value("[name=secret]")))
    await page.fill("main form:has(#code) [name=password]", PASSWORD)
    await send(page)
    await page.wait_for_selector(".codes")
    yield "recovery codes"
    await go(page, "/settings/account")
    yield "account"
    await page.fill("#delete-confirm", "someone")
    await page.fill("#delete-password", PASSWORD)
    await send(page, "main form:has(#delete-confirm) button")
    await page.wait_for_selector("#delete-confirm-error")
    yield "refused deletion"
    await go(page, "/settings/tokens")
    await page.fill("#name", "bot")
    await send(page)
    await page.wait_for_selector("#token")
    yield "a new token"
    await go(page, "/settings/people")
    await send(page, "button[value=invite]")
    await page.wait_for_selector("#invitation")
    yield "invitation"
    await page.click(".delete-person summary")
    await page.fill("#delete-2-confirm", "someone")
    await send(page, "button[value=delete]")
    await page.wait_for_selector("#delete-2-confirm-error")
    yield "refused removal"
    await go(page, "/settings")
    yield "settings"


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_state_of_a_page_on_people_is_whole_and_clean(
    browser: Browser, env: Env, url: str, recovery: list[str], locale: str
) -> None:
    """Names are Latin and Korean pages stay Korean."""
    found: dict[str, object] = {}
    theme = "dark" if locale == "ko" else "light"
    async with visiting(browser, url, Choices(locale, theme)) as (page, _):
        for states in (come_in(page, recovery), look_around(page, env)):
            async for name in states:
                faults = await audit(page, name)
                found[name] = faults + await ask_axe(page, name, theme, 1440)
    assert found == {name: [] for name in found}
