"""Invitations are random, kept as hashes, and used up with the caller's transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.errors import BadInput
from app.services.invitations import invite, take_invitation
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
