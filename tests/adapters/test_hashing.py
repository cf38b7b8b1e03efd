"""Passwords as argon2id with the parameters that were decided, off the event loop."""

from __future__ import annotations

import asyncio

import argon2
import pytest

from app.adapters.hashing import NOBODY, Hasher
from app.errors import RateLimited


async def test_a_password_is_hashed_as_decided_and_verified():
    hasher = Hasher()
    stored = await hasher.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hasher.verify(stored, "correct horse")
    assert not await hasher.verify(stored, "wrong horse")
    assert not hasher.is_old(stored)
    assert hasher.is_old(argon2.PasswordHasher(memory_cost=64, time_cost=1).hash("x"))


async def test_nobody_has_no_password_not_even_the_one_that_is_verified():
    hasher = Hasher()
    assert not hasher.is_old(NOBODY)  # else it is verified in another time
    assert not await hasher.verify(None, "nobody")
    assert not await hasher.verify("no hash at all", "x")


async def test_two_run_at_once_and_the_rest_waits():
    hasher = Hasher()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hasher.hash("x")) for _ in range(6)]
        await asyncio.sleep(0)
        assert hasher._waiting == 6
    assert len({task.result() for task in tasks}) == 6
    assert hasher._waiting == 0


async def test_too_many_waiting_are_told_to_come_again():
    hasher = Hasher()
    hasher._waiting = 50
    with pytest.raises(RateLimited) as told:
        await hasher.hash("x")
    assert told.value.retry_after > 0
