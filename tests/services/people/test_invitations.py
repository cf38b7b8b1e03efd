"""Invitations are random, kept as hashes, and used up with the caller's transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.errors import BadInput
from app.services.people.invitations import invite, take_invitation
from app.services.people.password_reset import make_link
from tests.clocks import at
from tests.people import make_user


async def test_an_invitation_is_used_once_and_only_when_its_transaction_succeeds(env):
    invitation = await invite(env, (await make_user(env)).id)
    now = env.clock.now()

    async def fail() -> None:
        async with env.db.write() as db:
            await take_invitation(db, invitation, now)
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await fail()
    async with env.db.write() as db:
        await take_invitation(db, invitation, now)
    for wrong in (invitation, None, "", "\ud800"):
        with pytest.raises(BadInput):
            async with env.db.write() as db:
                await take_invitation(db, wrong, now)
    async with env.db.read() as db:
        assert invitation not in str(await db.scalar(text("SELECT i::text FROM invitation i")))


async def test_links_and_invitations_that_are_too_old_are_forgotten_with_the_next(env):
    env = at(env, "2026-01-05T00:00:00Z")
    user = await make_user(env)
    for days in (0, 3, 8):
        later = at(env, env.clock.now() + timedelta(days=days))
        await invite(later, user.id)
        await make_link(later, user)
    async with env.db.read(uid=EVERYONE) as db:
        tables = ("invitation", "password_reset")
        counts = [await db.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]
    assert counts == [2, 1]
