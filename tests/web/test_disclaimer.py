"""Who has an account without having accepted the disclaimer is shown it before any other page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import func, select

from app.db.engine import EVERYONE
from app.db.models import Portfolio
from app.domain.access import Role
from app.env import Env
from app.services.people.api_tokens import create_api_token
from app.services.people.token_pairs import open_family
from app.services.people.users import Applicant, get_by_name, register
from tests.people import DEVICE, PASSWORD, make_user
from tests.web.pages import browsing, make_market, read, text_of
from tests.web.trips import go, visiting

ASKED = "/portfolios?sort=name"
LED = "/disclaimer?next=/portfolios%3Fsort%3Dname"


@asynccontextmanager
async def unsigned(env: Env, settings, locale: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """The browser of an administrator that was added by the operator."""
    await make_market(env)
    applicant = Applicant("alice", "alice@example.com", PASSWORD, privileged=True)
    await register(env, applicant, Role.ADMIN)
    async with browsing(settings, locale) as http:
        done = await http.post("/login", data={"username": "alice", "password": PASSWORD})
        assert done.headers["location"] == "/"
        yield http


async def test_it_is_shown_once_and_leads_on_to_what_was_asked_for(env, settings):
    async with unsigned(env, settings) as http:
        led = await http.get(ASKED)
        assert (led.status_code, led.headers["location"]) == (303, LED)
        page = await http.get(LED)
        assert page.status_code == 200
        assert "Nothing it shows is investment advice" in text_of(page.text)
        assert page.headers["cache-control"] == "no-store"
        fields = {
            a["name"]: a["value"] for tag, a in read(page.text).tags if a.get("name") == "next"
        }
        done = await http.post("/disclaimer", data=fields)
        assert (done.status_code, done.headers["location"]) == (303, ASKED)
        assert (await http.get(ASKED)).status_code == 200
        assert (await http.get(LED)).headers["location"] == ASKED
    assert (await get_by_name(env, "alice")).disclaimer_at is not None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/settings",
        "/settings/account",
        "/settings/people",
        "/instruments/AAPL",
        "/api/candles/AAPL",
        "/portfolios/1/export.csv",
        "/login",
        "/setup",
        "/nothing",
    ],
)
async def test_whatever_else_a_browser_asks_for_waits(env, settings, path):
    async with unsigned(env, settings) as http:
        led = await http.get(path)
        assert led.status_code == 303
        assert led.headers["location"].startswith("/disclaimer")
        part = await http.get(path, headers={"HX-Request": "true"})
        assert part.status_code == 204
        assert part.headers["hx-redirect"] == led.headers["location"]


async def test_the_language_the_licences_and_the_way_out_do_not_wait(env, settings):
    async with unsigned(env, settings) as http:
        assert (await http.get("/about")).status_code == 200
        assert (await http.get("/static/app.css")).status_code == 200
        assert (await http.get("/manifest.webmanifest")).status_code == 200
        chosen = await http.post("/settings", data={"locale": "ko", "back": LED})
        assert chosen.headers["location"] == LED
        page = await http.get(LED)
        assert page.headers["content-language"] == "ko"
        assert "투자 권유나 자문이 아닙니다" in page.text
        assert (await http.post("/logout")).headers["location"] == "/"
        assert (await http.get(LED)).status_code == 401  # nobody is signed in any more
        assert (await http.get("/settings")).status_code == 200


async def test_a_form_that_was_open_changes_nothing_and_one_comes_back_to_its_page(env, settings):
    async with unsigned(env, settings) as http:
        form = {"name": "A", "kind": "SIMULATED", "baseCurrency": "KRW"}
        came = {"Referer": f"http://localhost:8000{ASKED}"}
        led = await http.post("/portfolios", data=form, headers=came)
        assert (led.status_code, led.headers["location"]) == (303, LED)
    async with env.db.read(uid=EVERYONE) as db:
        assert await db.scalar(select(func.count()).select_from(Portfolio)) == 0


async def test_it_leads_to_no_other_site(env, settings):
    async with unsigned(env, settings) as http:
        page = await http.get("/disclaimer?next=https://evil.example")
        assert "evil.example" not in page.text.partition("<main")[2]
        done = await http.post("/disclaimer", data={"next": "//evil.example"})
        assert done.headers["location"] == "/"


async def test_programs_are_answered_as_ever(env, settings):
    await make_market(env)
    user = await make_user(env, accepts=False)
    _, api_token = await create_api_token(env, user, "bot", frozenset(["READ"]), None)
    access_token = (await open_family(env, user.id, DEVICE)).access_token
    async with browsing(settings) as http:
        for token in (api_token, access_token):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await http.get("/api/candles/AAPL", headers=headers)).status_code == 200
            query = {"query": "{ me { username disclaimerAt } }"}
            answer = await http.post("/graphql", json=query, headers=headers)
            assert answer.json()["data"]["me"] == {"username": "alice", "disclaimerAt": None}


async def test_who_came_by_another_site_is_shown_it_too(env, settings, providers):
    async with visiting(settings, providers) as client:
        done = await go(client, next="/jobs")
        assert done.headers["location"] == "/jobs"
        led = await client.http.get("/jobs")
        assert (led.status_code, led.headers["location"]) == (303, "/disclaimer?next=/jobs")


async def test_who_has_accepted_it_with_the_form_is_not_asked_again(env, settings):
    await make_market(env)
    form = {"username": "bob", "email": "bob@example.com", "password": PASSWORD}
    async with browsing(settings) as http:
        made = await http.post("/register", data=form | {"disclaimer": "yes", "next": ASKED})
        assert made.headers["location"] == ASKED
        assert (await http.get(ASKED)).status_code == 200
