"""An address counts as verified once the link that was sent there was opened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.errors import BadInput, Conflict, RateLimited, Unauthenticated
from app.services.people.account import delete_account
from app.services.people.email_address import change_email, confirm_email, send_confirmation
from app.services.people.mails import NOWHERE
from app.services.people.password_reset import request_reset, reset_by_link
from app.services.people.users import Applicant, find_user, get_by_name, register
from tests.clocks import at
from tests.mailing import deliver, link_of, text_of, with_mail
from tests.people import PASSWORD, by_session, make_user
from tests.services.people.test_password_reset import verified


async def confirm(env, secret):
    await confirm_email(env, secret, address="")


async def test_who_registers_is_asked_to_confirm(env, smtp):
    env = with_mail(env, smtp)
    await register(env, Applicant("alice", "alice@example.com", PASSWORD, locale="ko"))
    assert await deliver(env) == ["SENT"]
    (letter,) = smtp.letters
    assert (letter["To"], letter["Subject"]) == ("alice@example.com", "이메일 주소 확인")
    await confirm(env, link_of(letter))
    assert (await get_by_name(env, "alice")).email_verified


async def test_who_was_added_without_an_address_has_none_to_confirm(env, smtp):
    env = with_mail(env, smtp)
    user = await register(env, Applicant("demo", NOWHERE, PASSWORD, privileged=True))
    assert not user.has_email
    with pytest.raises(Conflict, match="no address yet"):
        await send_confirmation(env, await by_session(env, user), locale="en")
    assert await deliver(env) == []


async def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(env, smtp):
    env = with_mail(env, smtp)
    user = await verified(env)
    identity = await by_session(env, user)
    told = await change_email(env, identity, PASSWORD, "new@example.com", locale="en")
    assert (told.email, told.email_verified) == ("alice@example.com", True)
    assert sorted(await deliver(env)) == ["SENT", "SENT"]
    letters = {letter["To"]: letter for letter in smtp.letters}
    assert "new@example.com" in text_of(letters["alice@example.com"])
    secret = link_of(letters["new@example.com"])
    await confirm(env, secret)
    now = await find_user(env, user.id)
    assert (now.email, now.email_verified) == ("new@example.com", True)
    with pytest.raises(BadInput):
        await confirm(env, secret)


async def test_links_to_the_old_address_end_with_it(env, smtp):
    env = with_mail(env, smtp)
    identity = await by_session(env, await verified(env))
    await request_reset(env, "alice@example.com", locale="en", address="")
    await change_email(env, identity, PASSWORD, "new@example.com", locale="en")
    await deliver(env)
    letters = {(letter["To"], letter["Subject"]): letter for letter in smtp.letters}
    reset = link_of(letters["alice@example.com", "Choose a new password"])
    await confirm(env, link_of(letters["new@example.com", "Confirm your address"]))
    with pytest.raises(BadInput):
        await reset_by_link(env, reset, "another long one", locale="en", address="")


async def test_without_mail_the_address_changes_at_once_unverified(env):
    identity = await by_session(env, await verified(env))
    with pytest.raises(Unauthenticated):
        await change_email(env, identity, "wrong", "new@example.com", locale="en")
    with pytest.raises(BadInput) as caught:
        await change_email(env, identity, PASSWORD, "new", locale="en")
    assert caught.value.field == "email"
    changed = await change_email(env, identity, PASSWORD, "new@example.com", locale="en")
    assert (changed.email, changed.email_verified) == ("new@example.com", False)
    with pytest.raises(Conflict):
        await send_confirmation(env, identity, locale="en")


async def test_an_address_that_another_has_verified_is_refused_to_who_proves_it_later(env, smtp):
    env = with_mail(env, smtp)
    bob = await by_session(env, await make_user(env, "bob"))
    await change_email(env, bob, PASSWORD, "alice@example.com", locale="en")
    await verified(env)
    await deliver(env)
    with pytest.raises(Conflict, match="Another account"):
        await confirm(env, link_of(smtp.letters[0]))


async def test_a_link_is_asked_for_again_until_it_counts(env, smtp):
    env = with_mail(env, smtp)
    user = await make_user(env)
    identity = await by_session(env, user)
    await send_confirmation(env, identity, locale="en")
    await deliver(env)
    late = at(env, (env.clock.now() + timedelta(days=1, seconds=1)).isoformat())
    with pytest.raises(BadInput):
        await confirm(late, link_of(smtp.letters[0]))
    await confirm(env, link_of(smtp.letters[0]))
    now = await by_session(env, await find_user(env, user.id))
    with pytest.raises(Conflict, match="already"):
        await send_confirmation(env, now, locale="en")
    for _ in range(4):
        await send_confirmation(env, identity, locale="en")
    with pytest.raises(RateLimited):
        await send_confirmation(env, identity, locale="en")
    assert await deliver(env) == ["NOBODY"] * 4  # it counts already


async def test_a_deleted_account_gets_no_mail(env, smtp):
    env = with_mail(env, smtp)
    identity = await by_session(env, await make_user(env))
    await send_confirmation(env, identity, locale="en")
    await delete_account(env, identity, PASSWORD)
    assert await deliver(env) == ["NOBODY"]
