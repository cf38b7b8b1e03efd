"""A forgotten password and a new address through the pages, by links of real letters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.db.models import User
from app.services.people.users import get_by_name
from tests.mailing import SENDER, deliver, link_of, with_mail
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, make_market

FRESH = "another long password"


@pytest.fixture
def mailing(settings, smtp):
    """The settings of an installation that sends mail."""
    url = f"smtp+plain://127.0.0.1:{smtp.port}"
    return replace(settings, smtp_url=url, mail_from=SENDER, public_url="https://sise.example.com")


async def test_a_forgotten_password_is_replaced_by_the_link_of_a_letter(env, mailing, smtp):
    await make_market(env)
    user = await make_user(env)
    async with env.db.write() as db:
        await db.execute(update(User).where(User.id == user.id).values(email_verified=True))
    async with browsing(mailing) as http:
        assert 'href="/forgot"' in (await http.get("/login")).text
        told = [
            await http.post("/forgot", data={"email": email})
            for email in ("alice@example.com", "nobody@example.com")
        ]
        assert [answer.status_code for answer in told] == [200, 200]
        assert told[0].text.partition("<main")[2] == told[1].text.partition("<main")[2]
        bad = await http.post("/forgot", data={"email": "nowhere"})
        assert bad.status_code == 422
        assert 'id="email-error"' in bad.text
        await deliver(with_mail(env, smtp))
        token = link_of(smtp.letters[-1])
        form = await http.get(f"/reset?token={token}")
        assert f'value="{token}"' in form.text
        assert form.headers["cache-control"] == "no-store"
        weak = await http.post("/reset", data={"token": token, "password": "short"})
        assert 'id="password-error"' in weak.text
        assert f'value="{token}"' in weak.text
        done = await http.post("/reset", data={"token": token, "password": FRESH})
        assert done.headers["location"] == "/login?done=reset"
        assert "Sign in with it" in (await http.get(done.headers["location"])).text
        again = await http.post("/reset", data={"token": token, "password": FRESH})
        assert again.status_code == 422
        assert 'id="token-error"' in again.text
        answer = await http.post("/login", data={"username": "alice", "password": FRESH})
        assert answer.status_code == 303


async def test_a_new_address_counts_once_its_link_was_confirmed(env, mailing, smtp):
    await make_market(env)
    await make_user(env)
    async with browsing(mailing) as http:
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        page = (await http.get("/settings/account")).text
        assert "Send a link to verify the address" in page
        sent = await http.post("/settings/account", data={"act": "verify"})
        assert sent.headers["location"] == "/settings/account?done=verify"
        change = {"act": "email", "email": "new@example.com", "password": PASSWORD}
        done = await http.post("/settings/account", data=change)
        assert "once it was opened" in (await http.get(done.headers["location"])).text
        await deliver(with_mail(env, smtp))
        token = link_of(smtp.letters[-1])
        assert (await get_by_name(env, "alice")).email == "alice@example.com"
        assert (await http.get(f"/confirm?token={token}")).status_code == 200
        assert (await get_by_name(env, "alice")).email == "alice@example.com"  # looking is nothing
        confirmed = await http.post("/confirm", data={"token": token})
        told = await http.get((await http.get(confirmed.headers["location"])).headers["location"])
        assert "The address is confirmed" in told.text
        user = await get_by_name(env, "alice")
        assert (user.email, user.email_verified) == ("new@example.com", True)
        used = await http.post("/confirm", data={"token": token})
        assert used.status_code == 422
        assert 'id="token-error"' in used.text


async def test_without_mail_nothing_is_promised(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        assert 'href="/forgot"' not in (await http.get("/login")).text
        assert 'name="email"' not in (await http.get("/forgot")).text
        refused = await http.post("/forgot", data={"email": "alice@example.com"})
    assert refused.status_code == 422
