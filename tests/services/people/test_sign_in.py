"""Signing in: the same words for known and unknown, limits that lock nobody out, old hashes renewed."""

from __future__ import annotations

from dataclasses import replace

import argon2
import pytest
from sqlalchemy import text

from app.adapters.bus import Bus
from app.adapters.limits import Tally
from app.errors import RateLimited, Unauthenticated
from app.services.people import sign_in as module
from app.services.people.sign_in import require_password, sign_in
from tests.people import PASSWORD, by_session, make_user


async def test_the_right_password_signs_in_under_any_spelling_of_the_name(env):
    user = await make_user(env)
    assert await sign_in(env, " Alice", PASSWORD) == user


async def test_unknown_and_wrong_are_told_in_the_same_words(env):
    await make_user(env)
    told = set()
    for name, password in (
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("deleted 1", ""),
        ("\ud800", "\ud800"),
        ("a\0b", "\0"),
    ):
        with pytest.raises(Unauthenticated) as refused:
            await sign_in(env, name, password, address=name[:1].encode(errors="replace").decode())
        told.add(str(refused.value))
    assert len(told) == 1


async def test_an_account_is_tried_five_times_from_one_address_and_still_open_from_another(
    env, monkeypatch
):
    monkeypatch.setattr(module, "DELAYS", (0.01,))
    user = await make_user(env)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await sign_in(env, "alice", "wrong", address="192.0.2.1")
    with pytest.raises(RateLimited) as limited:
        await sign_in(env, "alice", PASSWORD, address="192.0.2.1")
    assert 0 < limited.value.retry_after <= 900
    assert await sign_in(env, "alice", PASSWORD, address="192.0.2.2") == user


async def test_without_the_broker_an_account_is_limited_still(env, monkeypatch):
    monkeypatch.setattr(module, "DELAYS", (0.01,))
    user, gone = await make_user(env), Bus("redis://127.0.0.1:1")
    alone = replace(env, bus=gone, tally=Tally(gone))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await sign_in(alone, "alice", "wrong", address="192.0.2.1")
    with pytest.raises(RateLimited):
        await sign_in(alone, "alice", PASSWORD, address="192.0.2.1")
    assert await sign_in(alone, "alice", PASSWORD, address="192.0.2.2") == user
    await gone.close()


async def test_thirty_names_from_one_address_end_in_429(env):
    outcomes = []
    for n in range(30):
        try:
            await sign_in(env, f"user{n}", "wrong", address="192.0.2.1")
        except (Unauthenticated, RateLimited) as error:
            outcomes.append(error.code)
    assert outcomes == ["UNAUTHENTICATED"] * 20 + ["RATE_LIMITED"] * 10


async def test_a_right_password_makes_the_count_begin_anew(env):
    await make_user(env)
    for _ in range(3):
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                await sign_in(env, "alice", "wrong")
        assert await sign_in(env, "alice", PASSWORD)


async def test_a_hash_of_old_parameters_is_renewed(env):
    user = await make_user(env)
    old = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    async with env.db.write() as db:
        await db.execute(text('UPDATE "user" SET password_hash = :old'), {"old": old})
    assert await sign_in(env, "alice", PASSWORD) == user
    async with env.db.read() as db:
        stored = await db.scalar(text('SELECT password_hash FROM "user"'))
    assert "m=19456,t=2,p=1" in stored
    assert await sign_in(env, "alice", PASSWORD) == user


async def test_whoever_sits_at_an_open_browser_still_has_to_know_the_password(env):
    identity = await by_session(env, await make_user(env))
    await require_password(env, identity, PASSWORD)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await require_password(env, identity, "wrong")
    with pytest.raises(RateLimited):
        await require_password(env, identity, PASSWORD)
