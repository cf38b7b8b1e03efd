"""Refresh tokens: each is used once; a second use ends the whole sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.access import Means
from app.errors import Unauthenticated
from app.services.people.authentication import find_by_bearer
from app.services.people.sessions import end_all
from app.services.people.token_pairs import open_family, refresh_pair
from tests.clocks import at
from tests.people import DEVICE, make_user


async def test_a_pair_is_replaced_by_the_next(env):
    user = await make_user(env)
    first = await open_family(env, user.id, DEVICE)
    second = await refresh_pair(env, first.refresh_token)
    assert second.expires_in == 300
    found = await find_by_bearer(env, second.access_token)
    assert (found.user, found.means) == (user, Means.ACCESS)
    assert await refresh_pair(env, second.refresh_token)


async def test_a_second_use_ends_the_thief_s_sign_in_and_the_owner_s(env):
    user = await make_user(env)
    other = await open_family(env, user.id, DEVICE)
    stolen = await open_family(env, user.id, DEVICE)
    mine = await refresh_pair(env, stolen.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh_pair(env, stolen.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh_pair(env, mine.refresh_token)
    assert await find_by_bearer(env, mine.access_token) is None
    assert await refresh_pair(env, other.refresh_token)


@pytest.mark.parametrize("token", ["", "srt_unknown", "\ud800", "x" * 100_000])
async def test_what_is_no_token_is_refused_and_ends_nothing(env, token):
    pair = await open_family(env, (await make_user(env)).id, DEVICE)
    with pytest.raises(Unauthenticated):
        await refresh_pair(env, token)
    assert await refresh_pair(env, pair.refresh_token)


async def test_after_a_month_or_a_sign_out_it_is_worth_nothing(env):
    env = at(env, "2026-01-05T00:00:00Z")
    user = await make_user(env)
    old, ended = [await open_family(env, user.id, DEVICE) for _ in range(2)]
    with pytest.raises(Unauthenticated):
        await refresh_pair(at(env, env.clock.now() + timedelta(days=30)), old.refresh_token)
    await end_all(env, user.id)
    with pytest.raises(Unauthenticated):
        await refresh_pair(env, ended.refresh_token)
    assert await find_by_bearer(env, ended.access_token) is None


async def test_what_has_ended_is_forgotten_and_the_sign_in_goes_on(env):
    """A program that comes daily has a month's tokens, however long it has been coming."""
    env = at(env, "2026-01-05T00:00:00Z")
    user = await make_user(env)
    await open_family(env, user.id, DEVICE)  # never seen again
    token = (await open_family(env, user.id, DEVICE)).refresh_token
    for day in range(1, 41):
        token = (
            await refresh_pair(at(env, env.clock.now() + timedelta(days=day)), token)
        ).refresh_token
    later = at(env, env.clock.now() + timedelta(days=41))
    await open_family(later, user.id, DEVICE)
    async with env.db.read(uid=EVERYONE) as db:
        families = "SELECT family_id, count(*) FROM refresh_token GROUP BY 1 ORDER BY 1"
        counts = [number for _, number in await db.execute(text(families))]
    assert counts == [30, 1]
    assert await refresh_pair(later, token)
