"""The second factor: on by its first code, each code once, recovery codes when it is lost."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.totp import compute_code
from app.errors import BadInput, Conflict, Unauthenticated
from app.services.people.account import reset_password
from app.services.people.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    count_recovery_codes,
    renew_recovery_codes,
    turn_off_second_factor,
)
from app.services.people.sign_in import HALF, SecondFactorNeeded, finish_sign_in, sign_in
from tests.clocks import at
from tests.people import PASSWORD, make_user

START = "2026-01-05T00:00:00+00:00"


def code_of(env, secret: str) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    return compute_code(base64.b32decode(padded), int(env.clock.now().timestamp()) // 30)


async def turn_on(env, user):
    enrolment = await begin_second_factor(env, user.id)
    codes = await confirm_second_factor(env, user.id, code_of(env, enrolment.secret))
    return enrolment.secret, codes


async def test_once_on_a_code_is_asked_for_and_taken_once(env):
    env = at(env, START)
    user = await make_user(env)
    secret, _ = await turn_on(env, user)
    with pytest.raises(SecondFactorNeeded) as needed:
        await sign_in(env, "alice", PASSWORD)
    assert needed.value.extensions == {"code": "UNAUTHENTICATED", "field": "code"}
    later = at(env, env.clock.now() + timedelta(minutes=1))
    code = code_of(later, secret)
    assert (await sign_in(later, "alice", PASSWORD, code=f"{code[:3]} {code[3:]}")).second_factor
    with pytest.raises(SecondFactorNeeded):
        await sign_in(later, "alice", PASSWORD, code=code)


async def test_of_two_uses_of_a_code_at_once_one_is_refused(env):
    env = at(env, START)
    secret, _ = await turn_on(env, await make_user(env))
    later = at(env, env.clock.now() + timedelta(minutes=1))
    code = code_of(later, secret)

    async def attempt() -> bool:
        try:
            await sign_in(later, "alice", PASSWORD, code=code)
        except SecondFactorNeeded:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attempt()) for _ in range(3)]
    assert sorted(task.result() for task in tasks) == [False, False, True]


async def test_a_recovery_code_takes_its_place_once(env):
    user = await make_user(env)
    _, codes = await turn_on(env, user)
    assert len(set(codes)) == 10
    assert await sign_in(env, "alice", PASSWORD, code=codes[0].upper())
    with pytest.raises(SecondFactorNeeded):
        await sign_in(env, "alice", PASSWORD, code=codes[0])
    assert await sign_in(env, "alice", PASSWORD, code=codes[1])


async def test_recovery_codes_are_counted_and_replaced(env):
    user = await make_user(env)
    with pytest.raises(Conflict, match="off"):
        await renew_recovery_codes(env, user.id)
    _, codes = await turn_on(env, user)
    assert await sign_in(env, "alice", PASSWORD, code=codes[0])
    assert await count_recovery_codes(env, user.id) == 9
    fresh = await renew_recovery_codes(env, user.id)
    assert not set(fresh) & set(codes)
    assert await count_recovery_codes(env, user.id) == 10
    with pytest.raises(SecondFactorNeeded):
        await sign_in(env, "alice", PASSWORD, code=codes[1])
    assert await sign_in(env, "alice", PASSWORD, code=fresh[1])


async def test_it_counts_only_once_it_is_confirmed_and_its_secret_is_sealed(env):
    user = await make_user(env)
    with pytest.raises(Conflict):
        await confirm_second_factor(env, user.id, "123456")
    enrolment = await begin_second_factor(env, user.id)
    with pytest.raises(BadInput, match="code"):
        await confirm_second_factor(env, user.id, "nonsense")
    assert await sign_in(env, "alice", PASSWORD)
    async with env.db.read() as db:
        stored = await db.scalar(text('SELECT totp_secret FROM "user"'))
    raw = base64.b32decode(enrolment.secret)
    assert raw not in stored


async def test_it_is_not_replaced_while_it_is_on_and_can_be_turned_off(env):
    user = await make_user(env)
    await turn_on(env, user)
    with pytest.raises(Conflict):
        await begin_second_factor(env, user.id)
    await turn_off_second_factor(env, user.id)
    assert await sign_in(env, "alice", PASSWORD)
    assert await turn_on(env, user)


async def test_the_code_may_come_after_the_password_for_five_minutes(env):
    env = at(env, START)
    user = await make_user(env)
    _, codes = await turn_on(env, user)
    with pytest.raises(SecondFactorNeeded) as needed:
        await sign_in(env, "alice", PASSWORD)
    half = needed.value.half
    with pytest.raises(SecondFactorNeeded):
        await finish_sign_in(env, half, "000000")
    assert (await finish_sign_in(env, half, codes[0])).id == user.id
    late = at(env, env.clock.now() + HALF + timedelta(seconds=5))
    with pytest.raises(Unauthenticated, match="too long"):
        await finish_sign_in(late, half, codes[1])
    for nonsense in ("", "x", half[:-8] + "AAAAAAA=", "é"):
        with pytest.raises(Unauthenticated, match="too long"):
            await finish_sign_in(env, nonsense, codes[1])
    await reset_password(env, user, "another long one")
    with pytest.raises(Unauthenticated, match="too long"):
        await finish_sign_in(env, half, codes[1])
