"""A forgotten password: a link that works once, and an answer that tells nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.adapters.mail import Mailer
from app.db.engine import EVERYONE
from app.db.models import PasswordReset, User
from app.errors import BadInput, Conflict, RateLimited, Unauthenticated
from app.services.people.authentication import find_again
from app.services.people.password_reset import request_reset, reset_by_link
from app.services.people.sign_in import sign_in
from tests.clocks import at
from tests.graphql.asking import counting_statements
from tests.mailing import deliver, link_of, text_of, with_mail
from tests.people import PASSWORD, by_access_token, by_api_token, by_session, make_user

FRESH = "another long one"


async def verified(env, name="alice"):
    user = await make_user(env, name)
    async with env.db.write() as db:
        await db.execute(update(User).where(User.id == user.id).values(email_verified=True))
    return replace(user, email_verified=True)


async def ask(env, email, address="192.0.2.1", locale="en"):
    await request_reset(env, email, locale=locale, address=address)


async def test_the_link_of_the_mail_changes_the_password_once(env, smtp):
    env = with_mail(env, smtp)
    user = await verified(env)
    browser, program = await by_session(env, user), await by_access_token(env, user)
    bot = await by_api_token(env, user)
    await ask(env, "Alice@Example.com")
    assert await deliver(env) == ["SENT"]
    (letter,) = smtp.letters
    assert letter["Subject"] == "Choose a new password"
    secret = link_of(letter)
    assert secret not in letter["Subject"]
    async with env.db.read(uid=EVERYONE) as db:
        (row,) = await db.scalars(select(PasswordReset))
        assert secret.encode() not in row.sha256
    await reset_by_link(env, secret, FRESH, locale="en", address="")
    assert await sign_in(env, "alice", FRESH)
    with pytest.raises(Unauthenticated):
        await sign_in(env, "alice", PASSWORD)
    assert [await find_again(env, each) for each in (browser, program)] == [None, None]
    assert await find_again(env, bot)
    with pytest.raises(BadInput, match="used or is too old"):
        await reset_by_link(env, secret, FRESH, locale="en", address="")
    assert await deliver(env) == ["SENT"]
    assert smtp.letters[-1]["Subject"] == "Your password was changed"


async def test_known_and_unknown_take_the_same_way(env, smtp):
    """The same statements, the same answer: only a worker finds out whose address it is."""
    env = with_mail(env, smtp)
    await verified(env)
    await make_user(env, "bob")  # not verified
    said = []
    for n, email in enumerate(("alice@example.com", "bob@example.com", "nobody@example.com")):
        with counting_statements(env) as statements:
            await ask(env, email, f"192.0.2.{n}")
        said.append(list(statements))
    assert said[0] == said[1] == said[2]
    assert await deliver(env) == ["SENT", "NOBODY", "NOBODY"]
    assert [letter["To"] for letter in smtp.letters] == ["alice@example.com"]


async def test_a_password_that_is_refused_leaves_the_link(env, smtp):
    env = with_mail(env, smtp)
    await verified(env)
    await ask(env, "alice@example.com")
    await deliver(env)
    secret = link_of(smtp.letters[0])
    with pytest.raises(BadInput) as caught:
        await reset_by_link(env, secret, "short", locale="en", address="")
    assert caught.value.field == "password"
    await reset_by_link(env, secret, FRESH, locale="en", address="")


async def test_a_link_ends_after_an_hour_and_with_the_next_change(env, smtp):
    env = with_mail(env, smtp)
    await verified(env)
    for _ in range(2):
        await ask(env, "alice@example.com")
    await deliver(env)
    first, second = map(link_of, smtp.letters)
    now = env.clock.now()
    late = at(env, (now + timedelta(hours=1, seconds=1)).isoformat())
    with pytest.raises(BadInput):
        await reset_by_link(late, second, FRESH, locale="en", address="")
    await reset_by_link(env, first, FRESH, locale="en", address="")
    with pytest.raises(BadInput):
        await reset_by_link(env, second, "yet another one", locale="en", address="")


@pytest.mark.parametrize("secret", ["", "x", "\0", "\ud800", "x" * 5000, "' OR 1=1 --"])
async def test_what_is_no_link_is_refused(env, secret):
    with pytest.raises(BadInput) as caught:
        await reset_by_link(env, secret, FRESH, locale="en", address="")
    assert caught.value.field == "token"


async def test_mails_to_one_address_and_tries_from_one_place_are_limited(env, smtp):
    env = with_mail(env, smtp)
    await verified(env)
    for n in range(5):
        await ask(env, "alice@example.com", f"192.0.2.{n}")
    assert await deliver(env) == ["SENT"] * 3
    for _ in range(9):
        await ask(env, "nobody@example.com", "192.0.2.1")
    with pytest.raises(RateLimited):
        await ask(env, "nobody@example.com", "192.0.2.1")
    for _ in range(20):
        with pytest.raises(BadInput):
            await reset_by_link(env, "x", FRESH, locale="en", address="192.0.2.9")
    with pytest.raises(RateLimited):
        await reset_by_link(env, "x", FRESH, locale="en", address="192.0.2.9")


async def test_the_reader_s_language_is_that_of_the_account_then_of_the_request(env, smtp):
    env = with_mail(env, smtp)
    user = await verified(env)
    await ask(env, "alice@example.com", locale="ko")
    async with env.db.write() as db:
        await db.execute(text(f"UPDATE \"user\" SET locale = 'en' WHERE id = {user.id}"))
    await ask(env, "alice@example.com", locale="ko")
    async with env.db.write() as db:
        await db.execute(text(f'UPDATE "user" SET locale = NULL WHERE id = {user.id}'))
    await deliver(env)
    assert smtp.letters[0]["Subject"] == smtp.letters[1]["Subject"] == "새 비밀번호 정하기"
    assert "alice" in text_of(smtp.letters[0])


async def test_without_a_mail_server_one_is_told(env):
    assert not Mailer(None, None).is_set
    with pytest.raises(Conflict, match="administrator"):
        await ask(env, "alice@example.com")
    with pytest.raises(BadInput):
        await ask(replace(env, mailer=Mailer("smtp://x", "a@b.c")), "nobody")
