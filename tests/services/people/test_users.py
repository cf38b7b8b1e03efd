"""Registering and settings: the first is the administrator, names are taken once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.domain.access import Role
from app.errors import BadInput, Conflict, Forbidden, NotFound, RateLimited
from app.services.people.invitations import invite
from app.services.people.users import (
    Applicant,
    accept_disclaimer,
    find_user,
    get_by_name,
    has_users,
    list_users,
    register,
    update_settings,
)
from tests.clocks import at
from tests.people import PASSWORD, make_user


def applicant(name: str = "alice", **changes) -> Applicant:
    return replace(Applicant(name, f"{name}@example.com", PASSWORD), **changes)


def with_registration(env, policy):
    return replace(env, settings=replace(env.settings, registration=policy))


async def test_the_first_to_register_is_the_administrator_and_nobody_after(env):
    assert not await has_users(env)
    users = [await register(env, applicant(name)) for name in ("alice", "charlie")]
    assert [user.role for user in users] == [Role.ADMIN, Role.USER]
    assert await has_users(env)
    assert await list_users(env) == users


async def test_of_two_who_register_at_once_one_is_the_administrator(env):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(register(env, applicant(n))) for n in ("bob", "dora", "eve")]
    assert sorted(task.result().role for task in tasks) == ["ADMIN", "USER", "USER"]


async def test_a_username_is_taken_once_however_it_is_written(env):
    await register(env, applicant("Alice"))
    with pytest.raises(Conflict, match="ALICE is taken"):
        await register(env, applicant("ALICE", email="b@example.com"))


async def test_whether_an_address_is_known_is_not_told(env):
    await register(env, applicant())
    assert await register(env, applicant("charlie", email="alice@example.com"))


async def test_a_closed_installation_takes_those_the_operator_adds(env):
    closed = with_registration(env, "closed")
    with pytest.raises(Forbidden, match="closed"):
        await register(closed, applicant())
    assert await register(closed, applicant(privileged=True))


async def test_an_invitation_lets_one_person_in_within_a_week(env):
    admin = await make_user(env, "root", Role.ADMIN)
    closed = with_registration(at(env, "2026-01-05T00:00:00Z"), "invite")
    invitation = await invite(closed, admin.id)
    with pytest.raises(BadInput, match="invitation"):
        await register(closed, applicant())
    later = at(closed, "2026-01-12T00:00:01Z")
    with pytest.raises(BadInput, match="invitation"):
        await register(later, applicant(invitation=invitation))
    with pytest.raises(Conflict):
        await register(closed, applicant("root", invitation=invitation))
    assert await register(closed, applicant(invitation=invitation))
    with pytest.raises(BadInput, match="invitation"):
        await register(closed, applicant("charlie", invitation=invitation))


async def test_too_many_from_one_address_are_told_to_wait(env):
    for _ in range(10):
        await env.tally.add("register:192.0.2.7", 3600)
    with pytest.raises(RateLimited):
        await register(env, applicant(address="192.0.2.7"))
    assert await register(env, applicant(address="192.0.2.8"))


async def test_settings_are_kept_and_wrong_ones_refused(env):
    user = await make_user(env)
    changes = {"locale": "ko", "theme": "dark", "time_zone": "Europe/Berlin", "privacy": True}
    changed = await update_settings(env, user.id, changes)
    assert await find_user(env, user.id) == changed
    assert {name: getattr(changed, name) for name in changes} == changes
    for wrong in (
        {"locale": "xx"},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": ""},
    ):
        with pytest.raises(BadInput):
            await update_settings(env, user.id, wrong)


async def test_the_disclaimer_is_noted_with_its_instant(env):
    user = await register(env, applicant(accepts_disclaimer=True))
    assert user.disclaimer_at is not None
    other = await make_user(env, "charlie", accepts=False)
    assert other.disclaimer_at is None
    assert (await accept_disclaimer(env, other.id)).disclaimer_at is not None


async def test_somebody_is_found_by_the_name_in_any_case(env):
    user = await make_user(env)
    assert await get_by_name(env, " ALICE ") == user
    with pytest.raises(NotFound, match="bob"):
        await get_by_name(env, "bob")
