"""Web push in a real browser: the service worker shows what our sender says, a click leads to it.

Headless Chromium reaches no push service: what was encrypted for a browser is decrypted here, and
handed to the service worker as the browser itself does.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from playwright.async_api import Browser, Page

from app.adapters.push import encrypt
from app.domain.alerts.channels import Message, shape_push
from tests.browser.members import Member
from tests.browser.visiting import go, visiting
from tests.fakes.browser_push import PushBrowser

SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, tag, data }) => ({ title, body, tag, data }))"""
CLICK = """async () => {
  const [shown] = await self.registration.getNotifications();
  const opened = [];
  self.clients.openWindow = async (url) => { opened.push(url); }; // a person's click alone may
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification: shown }));
  return opened;
}"""


async def push(page: Page, origin: str, data: str) -> None:
    """Hands a decrypted push to the service worker of the page."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    devtools = await page.context.new_cdp_session(page)
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def note(event: Any) -> None:
        for one in event["registrations"]:
            if one["scopeURL"].startswith(origin) and not known.done():
                known.set_result(one["registrationId"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", note)
    await devtools.send("ServiceWorker.enable")
    given = {"origin": origin, "registrationId": await known, "data": data}
    await devtools.send("ServiceWorker.deliverPushMessage", given)


def send(message: Message) -> str:
    """What a browser reads of a push of ours."""
    receiver = PushBrowser()
    body = encrypt(orjson.dumps(shape_push(message)), receiver.public, receiver.auth)
    return receiver.read(body).decode()


async def test_a_push_is_shown_once_and_leads_to_the_alerts(
    whole_browser: Browser, member: Member
) -> None:
    url = member.site.url
    options = {"service_workers": "allow", "permissions": ["notifications"]}
    async with visiting(whole_browser, url, storage_state=member.state, **options) as (page, watch):
        await go(page, "/about")
        for count in (1, 2):  # of one key: the second takes the place of the first
            title = f"Sise · New alerts: {count}"
            await push(page, url, send(Message("sise-7", title, [], [], f"{url}/alerts")))
            wanted = [{"title": "Sise", "body": title[7:], "tag": "sise-7", "data": "/alerts"}]
            for _ in range(1200):
                if (shown := await page.evaluate(SHOWN)) == wanted:
                    break
                await page.wait_for_timeout(50)
            assert shown == wanted
        (worker,) = page.context.service_workers
        (opened,) = await worker.evaluate(CLICK)
        await go(page, opened)
        assert page.url == f"{url}/alerts"
        assert await page.locator("#history").count() == 1
        assert await page.evaluate(SHOWN) == []
        assert watch.faults == []


async def test_a_browser_that_cannot_be_pushed_to_says_so(browser: Browser, member: Member) -> None:
    options = {"service_workers": "allow", "storage_state": member.state}
    async with visiting(browser, member.site.url, **options) as (page, _):
        await go(page, "/alerts")
        await page.click("[data-push]")
        problem = page.locator("#push-error")
        await problem.wait_for()
        assert (await problem.inner_text()).startswith("The browser did not allow it: ")
        assert await page.input_value("#channel-address") == ""
