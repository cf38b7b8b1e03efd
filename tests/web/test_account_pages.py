"""The pages of one's own account: what is changed, what is shown once, what is refused."""

from __future__ import annotations

import base64
import io
import re
import shlex
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.totp import compute_code
from app.errors import NotFound
from app.services.people.sessions import open_session
from app.services.people.users import get_by_name
from app.web.auth import PLAIN_COOKIE
from tests.people import DEVICE, PASSWORD
from tests.web.pages import browsing, make_market, post, read, signed_in, text_of

PAGES = ("/settings/account", "/settings/security", "/settings/tokens")
FRESH = "another long password"


@pytest.mark.parametrize("path", [*PAGES, "/settings/people"])
async def test_a_stranger_is_told_to_sign_in(env, settings, path):
    await make_market(env)
    async with browsing(settings) as http:
        assert (await http.get(path)).status_code == 401
        assert (await http.post(path, data={"act": "delete"})).status_code == 401


@pytest.mark.parametrize("path", PAGES)
async def test_no_browser_keeps_a_page_of_an_account(env, settings, path):
    async with signed_in(env, settings) as http:
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"]
        unknown = await post(http, path.rpartition("/")[2], "nonsense", id="1")
        assert unknown.status_code in {400, 404, 422}


async def test_the_address_is_changed_with_the_password(env, settings):
    async with signed_in(env, settings) as http:
        wrong = await post(http, "account", "email", email="new@example.com", password="x")
        assert wrong.status_code == 422
        assert 'id="email-password-error"' in wrong.text
        assert 'value="new@example.com"' in wrong.text
        bad = await post(http, "account", "email", email="new", password=PASSWORD)
        assert 'id="email-email-error"' in bad.text
        done = await post(http, "account", "email", email="new@example.com", password=PASSWORD)
        assert done.headers["location"] == "/settings/account?done=email"
        assert "The address is changed" in (await http.get(done.headers["location"])).text


async def test_a_new_password_gives_this_browser_a_new_session_and_ends_the_others(env, settings):
    async with signed_in(env, settings) as http:
        user = await get_by_name(env, "alice")
        other = await open_session(env, user.id, DEVICE)
        before = http.cookies[PLAIN_COOKIE]
        wrong = await post(http, "account", "password", current="x", password=FRESH)
        assert 'id="password-current-error"' in wrong.text
        weak = await post(http, "account", "password", current=PASSWORD, password="short")
        assert 'id="password-password-error"' in weak.text
        done = await post(http, "account", "password", current=PASSWORD, password=FRESH)
        assert done.status_code == 303
        assert (await http.get("/settings/account")).status_code == 200
        after = http.cookies[PLAIN_COOKIE]
        assert after != before
        http.cookies.clear()
        for ended in (before, other):
            headers = {"Cookie": f"{PLAIN_COOKIE}={ended}"}
            assert (await http.get("/settings/account", headers=headers)).status_code == 401


async def test_the_account_is_deleted_by_name_and_password(env, settings):
    async with signed_in(env, settings) as http:
        unsaid = await post(http, "account", "delete", confirm="alic", password=PASSWORD)
        assert 'id="delete-confirm-error"' in unsaid.text
        wrong = await post(http, "account", "delete", confirm="alice", password="x")
        assert 'id="delete-password-error"' in wrong.text
        done = await post(http, "account", "delete", confirm="alice", password=PASSWORD)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert "Max-Age=0" in done.headers["set-cookie"]
    with pytest.raises(NotFound):
        await get_by_name(env, "alice")


async def test_everything_stored_comes_as_a_zip(env, settings):
    async with signed_in(env, settings) as http:
        answer = await http.post("/settings/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b"alice@example.com" in archive.read("account.json")


async def test_the_second_factor_is_turned_on_by_its_code_and_off_by_the_password(env, settings):
    async with signed_in(env, settings) as http:
        begun = await post(http, "security", "begin")
        fields = dict(re.findall(r'name="(secret|uri)"\s+value="([^"]+)"', begun.text))
        fields["uri"] = fields["uri"].replace("&amp;", "&")
        assert 'class="qr"' in begun.text
        assert 'href="otpauth://totp/Sise:alice?' in begun.text
        assert fields["secret"] in text_of(begun.text)
        wrong = await post(http, "security", "confirm", code="1", password=PASSWORD, **fields)
        assert wrong.status_code == 422
        assert 'id="code-error"' in wrong.text
        path = re.search(r'<path d="(M[^"]+)"\s+fill="#000"', begun.text)
        assert path is not None
        assert path[1] in wrong.text, "the picture is another one after a wrong code"
        step = int(env.clock.now().timestamp()) // 30
        code = compute_code(base64.b32decode(fields["secret"]), step)
        done = await post(http, "security", "confirm", code=code, password=PASSWORD, **fields)
        assert done.status_code == 200
        assert len(re.findall(r"<li><code>[0-9a-f-]{23}</code></li>", done.text)) == 10
        assert "<code>" not in (await http.get("/settings/security")).text
        assert (await get_by_name(env, "alice")).second_factor
        assert "10 recovery codes are left" in text_of((await http.get("/settings/security")).text)
        refused = await post(http, "security", "renew", password="x")
        assert 'id="renew-password-error"' in refused.text
        forms = [part.partition("</form>")[0] for part in refused.text.split("<form")]
        acts = [re.findall(r'value="(renew|off)"', form) for form in forms if "password" in form]
        assert acts == [["renew"], ["off"]]  # Enter in a password does one thing
        renewed = await post(http, "security", "renew", password=PASSWORD)
        assert len(re.findall(r"<li><code>[0-9a-f-]{23}</code></li>", renewed.text)) == 10
        assert not set(re.findall(r"<li><code>.+?<", done.text)) & set(
            re.findall(r"<li><code>.+?<", renewed.text)
        )
        refused = await post(http, "security", "off", password="x")
        assert 'id="off-password-error"' in refused.text
        await post(http, "security", "off", password=PASSWORD)
        assert not (await get_by_name(env, "alice")).second_factor


async def test_one_sign_in_is_ended_and_then_all(env, settings):
    async with signed_in(env, settings) as http:
        user = await get_by_name(env, "alice")
        other = await open_session(env, user.id, DEVICE)
        page = (await http.get("/settings/security")).text
        assert "Firefox, Linux" not in text_of(page)  # a word of ours, no header of a browser
        assert "192.0.2.0/24" in text_of(page)
        (id_,) = re.findall(r'value="(browser-\d+)"', page)
        done = await post(http, "security", "end", id=id_)
        assert done.headers["location"] == "/settings/security?done=end"
        gone = await post(http, "security", "end", id=id_)
        assert gone.status_code == 422
        out = await post(http, "security", "everywhere")
        assert out.headers["location"] == "/login"
        assert (await http.get("/settings/security")).status_code == 401
        headers = {"Cookie": f"{PLAIN_COOKIE}={other}"}
        assert (await http.get("/settings/security", headers=headers)).status_code == 401


async def test_a_token_is_shown_once_works_and_is_revoked(env, settings):
    public = replace(settings, public_url="https://sise.example.com")
    async with signed_in(env, public) as http:
        day = (env.clock.now().date() + timedelta(days=9)).isoformat()
        form = {"act": "create", "name": "bot", "expiresOn": day, "scopes": ["READ", "TRADE"]}
        made = await http.post("/settings/tokens", data=form)
        found = re.search(r"stk_[0-9A-Za-z_-]+", made.text)
        assert found is not None
        (example,) = [word for word in read(made.text).words["en"] if word.startswith("curl ")]
        assert shlex.split(example) == [
            *("curl", "https://sise.example.com/graphql"),
            *("-H", f"Authorization: Bearer {found[0]}"),
            *("-H", "Content-Type: application/json"),
            *("-d", '{"query": "{ me { username } }"}'),
        ]
        page = (await http.get("/settings/tokens")).text
        assert found[0] not in page
        assert "Read Trade until" in text_of(page)
        (id_,) = re.findall(r'name="id"\s+value="(\d+)"', page)
        async with browsing(settings) as program:
            ask = {"headers": {"Authorization": f"Bearer {found[0]}"}}
            query = {"query": "{ me { username } }"}
            answer = await program.post("/graphql", json=query, **ask)
            assert answer.json()["data"]["me"] == {"username": "alice"}
            await http.post("/settings/tokens", data={"act": "revoke", "id": id_})
            assert (await program.post("/graphql", json=query, **ask)).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["ADMIN"]}, "scopes"),
        ({"scopes": ["ROOT"]}, "scopes"),
        ({"expiresOn": "2001-01-01"}, "expiresOn"),
        ({"expiresOn": "soon"}, "expiresOn"),
    ],
)
async def test_what_is_wrong_with_a_token_stands_at_its_field(env, settings, change, field):
    async with signed_in(env, settings) as http:
        form = {"act": "create", "name": "bot", "scopes": ["READ"]}
        answer = await http.post("/settings/tokens", data=form | change)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
