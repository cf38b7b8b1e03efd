"""Who comes by another site: one identity, one account, also when two come at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from app.db.models import User
from app.domain.access import Role
from app.errors import Conflict, Forbidden, RateLimited
from app.services.people.external_sign_in import Vouched, sign_in_by, slow_down
from tests.people import make_user

ALICE = Vouched("Home", "https://home.example", "17", "alice@example.com", True, ("alice",))


async def test_two_at_once_make_one_account(env):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sign_in_by(env, ALICE)) for _ in range(8)]
    assert len({task.result().id for task in tasks}) == 1
    async with env.db.read() as db:
        assert await db.scalar(select(func.count()).select_from(User)) == 1


async def test_many_of_one_name_get_a_number(env):
    await make_user(env, "Alice")
    found = [
        (await sign_in_by(env, replace(ALICE, sub=str(n), email=None))).username for n in range(3)
    ]
    assert found == ["alice2", "alice3", "alice4"]
    for n in range(5, 50):
        await make_user(env, f"alice{n}")
    name = (await sign_in_by(env, replace(ALICE, sub="50", email=None))).username
    assert name.startswith("alice")
    assert len(name) == 10


async def test_the_first_is_the_administrator_and_what_is_no_address_is_none(env):
    first = await sign_in_by(env, replace(ALICE, email="nonsense"))
    assert (first.role, first.email, first.email_verified) == (
        Role.ADMIN,
        "nobody@example.invalid",
        False,
    )


async def test_a_disabled_account_stays_out_and_a_known_address_is_told(env):
    user = await sign_in_by(env, ALICE)
    with pytest.raises(Conflict, match="connect Other"):
        await sign_in_by(env, replace(ALICE, title="Other", iss="https://other.example"))
    async with env.db.write() as db:
        off = update(User).where(User.id == user.id).values(disabled_at=env.clock.now())
        await db.execute(off)
    with pytest.raises(Forbidden, match="disabled"):
        await sign_in_by(env, ALICE)


async def test_it_is_limited_from_one_address(env):
    for _ in range(20):
        await slow_down(env, "192.0.2.1")
    with pytest.raises(RateLimited):
        await slow_down(env, "192.0.2.1")
    await slow_down(env, "192.0.2.2")
