"""Who is calling: each means finds its person, nonsense nobody, and nobody again once it was ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.services.people.access_tokens import LIFETIME
from app.services.people.api_tokens import revoke_api_token
from app.services.people.authentication import find_again, find_by_bearer, find_by_cookie
from app.services.people.sessions import end_all, open_session
from tests.clocks import at
from tests.people import DEVICE, by_access_token, by_api_token, by_session, make_user


@pytest.mark.parametrize("text", ["", "x", "stk_1_", "a.b.c", "x" * 100_000, "é\0"])
async def test_nonsense_is_nobody(env, text):
    assert await find_by_cookie(env, text) is None
    assert await find_by_bearer(env, text) is None


async def test_a_cookie_is_no_token(env):
    secret = await open_session(env, (await make_user(env)).id, DEVICE)
    assert await find_by_cookie(env, secret)
    assert await find_by_bearer(env, secret) is None


async def test_the_same_caller_is_found_until_the_means_is_ended(env):
    user = await make_user(env)
    means = [await make(env, user) for make in (by_session, by_access_token, by_api_token)]
    assert [await find_again(env, identity) for identity in means] == means
    await end_all(env, user.id)
    await revoke_api_token(env, user.id, str(means[2].key))
    assert [await find_again(env, identity) for identity in means] == [None] * 3


async def test_who_came_by_an_access_token_is_nobody_once_that_has_ended(env):
    env = at(env, "2026-01-05T00:00:00Z")
    program = await by_access_token(env, await make_user(env))
    assert program.ends_at == env.clock.now() + LIFETIME
    before = at(env, program.ends_at - timedelta(seconds=1))
    assert await find_again(before, program) == program
    assert await find_again(at(env, program.ends_at), program) is None
