"""The own account through the schema: second factor, password, address, and its end."""

from __future__ import annotations

import base64
import io
import zipfile

from app.domain.totp import compute_code
from app.services.authentication import find_again
from tests.graphql.asking import ask, fail
from tests.people import PASSWORD, by_access_token, by_session, make_user

SIGN_IN = """mutation ($password: String!, $code: String) {
  signIn(username: "alice", password: $password, code: $code) { expiresIn } }"""
CONFIRM = "mutation ($p: String!, $c: String!) { confirmSecondFactor(password: $p, code: $c) }"


async def test_the_second_factor_is_turned_on_asked_for_and_turned_off(env):
    asked = {"identity": await by_session(env, await make_user(env)), "operator": False}
    begun = (await ask(env, "mutation { beginSecondFactor { secret uri } }", **asked))[
        "beginSecondFactor"
    ]
    assert begun["uri"].startswith("otpauth://totp/Sise:alice?")
    step = int(env.clock.now().timestamp()) // 30
    code = compute_code(base64.b32decode(begun["secret"]), step)
    told = await fail(env, CONFIRM, {"p": "wrong", "c": code}, **asked)
    assert told["extensions"]["code"] == "UNAUTHENTICATED"
    codes = (await ask(env, CONFIRM, {"p": PASSWORD, "c": code}, **asked))["confirmSecondFactor"]
    told = await fail(env, SIGN_IN, {"password": PASSWORD}, operator=False)
    assert told["extensions"] == {"code": "UNAUTHENTICATED", "field": "code"}
    assert await ask(env, SIGN_IN, {"password": PASSWORD, "code": codes[0]}, operator=False)
    off = "mutation ($p: String!) { turnOffSecondFactor(password: $p) }"
    assert await ask(env, off, {"p": PASSWORD}, **asked)
    assert await ask(env, SIGN_IN, {"password": PASSWORD}, operator=False)


async def test_password_and_address_change_and_the_account_ends(env):
    user = await make_user(env)
    here, there = await by_session(env, user), await by_access_token(env, user)
    asked = {"identity": here, "operator": False}
    change = "mutation ($a: String!, $b: String!) { changePassword(current: $a, password: $b) }"
    told = await fail(env, change, {"a": PASSWORD, "b": "short"}, **asked)
    assert told["extensions"] == {"code": "BAD_INPUT", "field": "password"}
    assert await ask(env, change, {"a": PASSWORD, "b": "another long one"}, **asked)
    assert await find_again(env, there) is None
    email = 'mutation ($p: String!) { changeEmail(password: $p, email: "new@example.com") { email emailVerified } }'
    changed = await ask(env, email, {"p": "another long one"}, **asked)
    assert changed["changeEmail"] == {"email": "new@example.com", "emailVerified": False}
    end = "mutation ($p: String!) { deleteAccount(password: $p) }"
    assert await ask(env, end, {"p": "another long one"}, **asked)
    assert await find_again(env, here) is None


async def test_all_that_is_stored_about_one_comes_as_a_zip(env):
    asked = {"identity": await by_session(env, await make_user(env)), "operator": False}
    told = (await ask(env, "{ exportAccount }", **asked))["exportAccount"]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(told))) as archive:
        assert {"account.json", "account.csv", "sessions.csv"} <= set(archive.namelist())
        assert b"alice@example.com" in archive.read("account.csv")
    refused = await fail(env, "{ exportAccount }", operator=False)
    assert refused["extensions"]["code"] == "UNAUTHENTICATED"
