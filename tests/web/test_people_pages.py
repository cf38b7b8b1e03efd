"""The page on everybody's accounts: only for administrators, every change a plain form."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.db.models import User
from app.domain.access import Role
from app.errors import NotFound
from app.services.people.mails import NOWHERE
from app.services.people.users import get_by_name
from tests.people import PASSWORD, by_session, make_user
from tests.web.pages import calling_from, post, read, signed_in, text_of


async def change(http, act: str, username: str, **fields: str):
    """A form about somebody."""
    return await post(http, "people", act, username=username, **fields)


async def test_an_administrator_invites_and_another_may_not(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        made = await http.post("/settings/people", data={"act": "invite"})
        found = re.search(r"http://localhost:8000/register\?invitation=([\w-]+)", made.text)
        assert found is not None
        assert found[1] not in (await http.get("/settings/people")).text
        await make_user(env, "bob")
        await http.post("/login", data={"username": "bob", "password": PASSWORD})
        for answer in (
            await http.get("/settings/people"),
            await http.post("/settings/people", data={"act": "invite"}),
            await change(http, "delete", "alice", confirm="alice"),
            await change(http, "role", "bob", role="ADMIN"),
        ):
            assert answer.status_code == 403
        assert "/settings/people" not in (await http.get("/settings")).text
    assert (await get_by_name(env, "bob")).role is Role.USER


async def test_who_is_invited_registers_once_by_the_address(env, settings):
    """From the administrator's page to the account, where nobody else may register."""
    site = "https://sise.example.com"  # a proxy speaks TLS; this process is asked by http
    invited = replace(settings, registration="invite", public_market=True, public_url=site)
    async with signed_in(env, invited, Role.ADMIN) as http:
        made = await http.post("/settings/people", data={"act": "invite"})
        (address,) = re.findall(rf'id="invitation"[^>]+value="{site}(/[^"]+)"', made.text)
    new = {"email": "bob@example.com", "password": PASSWORD, "disclaimer": "yes"}
    async with calling_from(invited, "192.0.2.9") as guest:
        assert 'name="invitation"' in (await guest.http.get("/register")).text
        form = (await guest.http.get(address)).text
        (word,) = re.findall(r'name="invitation"[^>]+value="([^"]+)"', form)
        bob = new | {"username": "bob", "invitation": word}
        assert (await guest.http.post("/register", data=bob)).status_code == 303
        guest.http.cookies.clear()
        again = await guest.http.post("/register", data=bob | {"username": "carl"})
        assert 'id="invitation-error"' in again.text
    assert (await get_by_name(env, "bob")).role is Role.USER


async def test_a_role_is_changed_and_an_account_disabled_and_enabled(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        bob = await make_user(env, "bob")
        await by_session(env, bob)
        for act, fields, told in (
            ("role", {"role": "ADMIN"}, "The role is changed"),
            ("role", {"role": "USER"}, "The role is changed"),
            ("deactivate", {}, "The account is disabled"),
            ("activate", {}, "The account is enabled"),
        ):
            done = await change(http, act, "bob", **fields)
            assert done.headers["location"] == f"/settings/people?done={act}"
            answer = await http.get(done.headers["location"])
            assert len(re.findall('lang=""> ?bob<', answer.text)) == 5  # a name is in no language
            page = text_of(answer.text)
            assert told in page
            now = await get_by_name(env, "bob")
            assert now.role == Role(fields.get("role", "USER"))
            assert (now.disabled_at is not None) == (act == "deactivate")
            assert ("Disabled" in page.split("bob@example.com")[0]) == (act == "deactivate")


async def test_an_account_is_deleted_by_its_name(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        await make_user(env, "bob")
        unsaid = await change(http, "delete", "bob", confirm="bo")
        assert unsaid.status_code == 422
        assert re.search(r'id="delete-2-confirm-error"', unsaid.text)
        assert "<details" in unsaid.text
        assert [a for tag, a in read(unsaid.text).tags if tag == "details" and "open" in a]
        assert (await get_by_name(env, "bob")).username == "bob"
        done = await change(http, "delete", "bob", confirm="bob")
        assert done.headers["location"] == "/settings/people?done=delete"
        gone = await change(http, "delete", "bob", confirm="bob")
        assert gone.status_code == 422
        assert "There is no user" in text_of(gone.text)
    with pytest.raises(NotFound):
        await get_by_name(env, "bob")


@pytest.mark.parametrize(
    ("act", "fields"),
    [("role", {"role": "USER"}), ("deactivate", {}), ("delete", {"confirm": "alice"})],
)
async def test_the_last_administrator_stays_and_is_told_so(env, settings, act, fields):
    async with signed_in(env, settings, Role.ADMIN) as http:
        await make_user(env, "bob")
        refused = await change(http, act, "alice", **fields)
        assert refused.status_code == 422
        assert "alice is the only administrator" in text_of(refused.text)
    assert (await get_by_name(env, "alice")).role is Role.ADMIN


async def test_the_list_has_pages_of_fifty_and_is_searched(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        for number in range(60):
            await make_user(env, f"reader{number:02}")
        first = (await http.get("/settings/people")).text
        assert "61 accounts" in text_of(first)
        assert first.count('class="person-acts"') == 50
        onwards = re.search(r'href="(/settings/people\?after=[^"]+)"', first)
        assert onwards is not None
        second = (await http.get(onwards[1])).text
        assert second.count('class="person-acts"') == 11
        assert "reader59" in second
        assert "From the beginning" in text_of(second)
        found = (await http.get("/settings/people?search=READER5")).text
        assert found.count('class="person-acts"') == 10
        done = await change(http, "deactivate", "reader51", search="READER5")
        assert done.headers["location"].endswith("done=deactivate&search=READER5")
        none = (await http.get("/settings/people?search=nobody%00%25")).text
        assert "Nobody is found" in text_of(none)
        bad = await http.get("/settings/people?after=x")
        assert bad.status_code == 400


async def test_who_has_no_address_is_shown_without_one(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        bob = await make_user(env, "bob")
        async with env.db.write() as db:
            await db.execute(update(User).where(User.id == bob.id).values(email=NOWHERE.upper()))
        page = (await http.get("/settings/people")).text
        assert "alice@example.com" in page
        assert ".invalid" not in page.lower()


async def test_a_form_that_means_nothing_is_refused(env, settings):
    async with signed_in(env, settings, Role.ADMIN) as http:
        assert (await change(http, "nonsense", "alice")).status_code in {400, 422}
        wrong = await change(http, "role", "alice", role="ROOT")
        assert wrong.status_code in {400, 422}
