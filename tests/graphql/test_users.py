"""People through the schema: from registering to signing out, and tokens that act for them."""

from __future__ import annotations

from dataclasses import replace

from app.domain.access import Role
from app.services.people.authentication import find_by_bearer
from tests.graphql.asking import ask, fail, make_context
from tests.people import PASSWORD, by_access_token, by_session, make_user

REGISTER = """mutation ($name: String!, $invitation: String) {
  register(username: $name, email: "a@example.com", password: "correct horse battery",
    invitation: $invitation, acceptDisclaimer: true) { username role disclaimerAt } }"""
SIGN_IN = """mutation ($name: String!, $password: String!) {
  signIn(username: $name, password: $password) { accessToken refreshToken expiresIn } }"""
SETTINGS = (
    "mutation ($input: SettingsInput!) { updateSettings(input: $input) { locale theme privacy } }"
)


async def test_one_registers_signs_in_refreshes_and_signs_out(env):
    stranger = {"operator": False}
    made = (await ask(env, REGISTER, {"name": "alice"}, **stranger))["register"]
    assert (made["username"], made["role"]) == ("alice", "ADMIN")
    assert made["disclaimerAt"]
    pair = (await ask(env, SIGN_IN, {"name": "alice", "password": PASSWORD}, **stranger))["signIn"]
    identity = await find_by_bearer(env, pair["accessToken"])
    signed_in = {"identity": identity, "operator": True}
    me = await ask(env, "{ me { username email baseCurrency timeZone } }", **signed_in)
    assert me["me"] == {
        "username": "alice",
        "email": "a@example.com",
        "baseCurrency": "KRW",
        "timeZone": "Asia/Seoul",
    }
    refresh = "mutation ($t: String!) { refresh(refreshToken: $t) { accessToken refreshToken } }"
    fresh = (await ask(env, refresh, {"t": pair["refreshToken"]}, **stranger))["refresh"]
    assert await ask(env, "mutation { signOut }", **signed_in) == {"signOut": True}
    assert await find_by_bearer(env, fresh["accessToken"]) is None
    told = await fail(env, refresh, {"t": fresh["refreshToken"]}, **stranger)
    assert told["extensions"]["code"] == "UNAUTHENTICATED"


async def test_unknown_and_wrong_are_the_same_bytes(env):
    await make_user(env)
    told = [
        await fail(env, SIGN_IN, {"name": name, "password": "wrong"}, operator=False, address=name)
        for name in ("alice", "nobody")
    ]
    assert told[0] == told[1]
    assert told[0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_closed_installation_takes_its_first_from_this_machine_and_then_the_invited(env):
    closed = replace(env, settings=replace(env.settings, registration="invite"))
    told = await fail(closed, REGISTER, {"name": "alice"}, operator=False)
    assert told["extensions"] == {"code": "BAD_INPUT", "field": "invitation"}
    assert (await ask(closed, REGISTER, {"name": "root"}))["register"]["role"] == "ADMIN"
    admin = await by_session(env, await make_user(env, "second", Role.ADMIN))
    invitation = (await ask(closed, "mutation { invite }", identity=admin))["invite"]
    taken = {"name": "alice", "invitation": invitation}
    assert (await ask(closed, REGISTER, taken, operator=False))["register"]["role"] == "USER"


async def test_only_one_try_of_a_password_stands_in_a_document(env):
    twice = "{ a: %s b: %s }" % (('signIn(username: "a", password: "b") { expiresIn }',) * 2)
    told = await fail(env, f"mutation {twice}", operator=False)
    assert told["extensions"]["code"] == "TOO_COSTLY"


async def test_a_token_is_made_listed_and_revoked(env):
    identity = await by_session(env, await make_user(env))
    asked = {"identity": identity, "operator": False}
    create = """mutation { createApiToken(name: "bot", scopes: [READ, TRADE], expiresOn: "2099-01-01") {
      text token { id name scopes expiresOn lastUsedAt } } }"""
    made = (await ask(env, create, **asked))["createApiToken"]
    assert made["token"]["scopes"] == ["READ", "TRADE"]
    assert await find_by_bearer(env, made["text"])
    listed = (await ask(env, "{ apiTokens { id expiresOn lastUsedAt } }", **asked))["apiTokens"]
    assert [(row["id"], row["expiresOn"]) for row in listed] == [
        (made["token"]["id"], "2099-01-01")
    ]
    revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) }"
    await ask(env, revoke, {"id": made["token"]["id"]}, **asked)
    assert await find_by_bearer(env, made["text"]) is None
    assert (await ask(env, "{ apiTokens { id } }", **asked))["apiTokens"] == []


async def test_sign_ins_are_listed_and_one_is_ended(env):
    user = await make_user(env)
    here, there = await by_session(env, user), await by_access_token(env, user)
    asked = {"identity": here, "operator": False}
    listing = "{ sessions { id kind current userAgent address } }"
    rows = {row["kind"]: row for row in (await ask(env, listing, **asked))["sessions"]}
    assert rows["BROWSER"]["current"]
    assert rows["PROGRAM"]["id"] == f"program-{there.key}"
    end = "mutation ($id: ID!) { endSession(id: $id) }"
    await ask(env, end, {"id": rows["PROGRAM"]["id"]}, **asked)
    assert len((await ask(env, listing, **asked))["sessions"]) == 1
    await ask(env, "mutation { signOut(everywhere: true) }", **asked)
    assert (await ask(env, listing, **asked))["sessions"] == []


async def test_settings_change_as_far_as_they_are_given(env):
    identity = await by_session(env, await make_user(env))
    asked = {"identity": identity, "operator": False}
    changed = await ask(env, SETTINGS, {"input": {"locale": "KO", "privacy": True}}, **asked)
    assert changed["updateSettings"] == {"locale": "KO", "theme": None, "privacy": True}
    changed = await ask(env, SETTINGS, {"input": {"locale": None, "theme": "DARK"}}, **asked)
    assert changed["updateSettings"] == {"locale": None, "theme": "DARK", "privacy": True}
    for wrong in ({"timeZone": "Mars"}, {"baseCurrency": "EUR"}, {"privacy": None}):
        told = await fail(env, SETTINGS, {"input": wrong}, **asked)
        assert told["extensions"]["code"] == "BAD_INPUT"


async def test_one_s_language_counts_before_the_browser_s(env):
    user = await make_user(env)
    identity = await by_session(env, replace(user, locale="ko"))
    context = make_context(env).signed_in(replace(identity, user=replace(user, locale="ko")))
    assert context.locale == "ko"
    assert context.caller == f"user {user.id}"


async def test_nobody_is_null_and_the_disclaimer_is_accepted(env):
    assert await ask(env, "{ me { username } }", operator=False) == {"me": None}
    identity = await by_session(env, await make_user(env, accepts=False))
    accept = "mutation { acceptDisclaimer { disclaimerAt } }"
    found = await ask(env, accept, identity=identity, operator=False)
    assert found["acceptDisclaimer"]["disclaimerAt"]


async def test_a_stranger_learns_by_what_one_can_come_in(env):
    query = "{ signInOptions { registration mail providers { key title } firstRun demo } }"
    assert (await ask(env, query, operator=False))["signInOptions"] == {
        "registration": env.settings.registration.upper(),
        "mail": False,
        "providers": [],
        "firstRun": True,
        "demo": False,
    }
