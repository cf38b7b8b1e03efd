"""The own account through the schema: second factor, password, address, and its end."""

from __future__ import annotations

import base64
import io
import zipfile

from app.domain.totp import compute_code
from app.services.people.authentication import find_again
from tests.graphql.asking import ask, fail
from tests.mailing import deliver, link_of, with_mail
from tests.people import PASSWORD, by_access_token, by_session, make_user
from tests.services.people.test_password_reset import verified

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
    renew = "mutation ($p: String!) { renewRecoveryCodes(password: $p) }"
    told = await fail(env, renew, {"p": "wrong"}, **asked)
    assert told["extensions"]["code"] == "UNAUTHENTICATED"
    left = "{ me { recoveryCodesLeft } }"
    assert (await ask(env, left, **asked))["me"] == {"recoveryCodesLeft": 9}
    assert len((await ask(env, renew, {"p": PASSWORD}, **asked))["renewRecoveryCodes"]) == 10
    assert (await ask(env, left, **asked))["me"] == {"recoveryCodesLeft": 10}
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


async def test_a_forgotten_password_is_reset_by_the_link_of_a_mail(env, smtp):
    env = with_mail(env, smtp)
    await verified(env)
    stranger = {"operator": False}
    forgotten = "mutation ($e: String!) { requestPasswordReset(email: $e) }"
    reset = "mutation ($t: String!, $p: String!) { resetPassword(token: $t, password: $p) }"
    answers = [
        await ask(env, forgotten, {"e": email}, locale="ko", **stranger)
        for email in ("alice@example.com", "nobody@example.com")
    ]
    assert answers[0] == answers[1] == {"requestPasswordReset": True}
    await deliver(env)
    (letter,) = smtp.letters
    assert letter["Subject"] == "새 비밀번호 정하기"
    fresh = {"t": link_of(letter), "p": "another long one"}
    told = await fail(env, reset, {**fresh, "p": "short"}, **stranger)
    assert told["extensions"] == {"code": "BAD_INPUT", "field": "password"}
    assert await ask(env, reset, fresh, **stranger) == {"resetPassword": True}
    told = await fail(env, reset, fresh, **stranger)
    assert told["extensions"] == {"code": "BAD_INPUT", "field": "token"}
    assert await ask(env, SIGN_IN, {"password": "another long one"}, **stranger)


async def test_an_address_is_verified_by_the_link_of_a_mail(env, smtp):
    env = with_mail(env, smtp)
    asked = {"identity": await by_session(env, await make_user(env)), "operator": False}
    assert await ask(env, "mutation { sendVerification }", **asked) == {"sendVerification": True}
    await deliver(env)
    confirm = "mutation ($t: String!) { confirmEmail(token: $t) }"
    link = {"t": link_of(smtp.letters[0])}
    assert await ask(env, confirm, link, operator=False) == {"confirmEmail": True}
    told = await fail(env, confirm, link, operator=False)
    assert told["extensions"] == {"code": "BAD_INPUT", "field": "token"}


async def test_without_mail_a_forgotten_password_is_the_administrator_s(env):
    told = await fail(env, 'mutation { requestPasswordReset(email: "a@b.cd") }', operator=False)
    assert told["extensions"] == {"code": "CONFLICT"}
