"""A browser's sign-in: its secret is hashed, it ends in time, and each can be ended by its owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.access import Role, Scope
from app.errors import NotFound
from app.services.people.sessions import (
    end_all,
    end_sign_in,
    end_this,
    find_session,
    find_session_by_id,
    list_sign_ins,
    open_session,
)
from tests.clocks import at
from tests.people import DEVICE, by_access_token, by_session, make_user

MONDAY = "2026-01-05T00:00:00+00:00"


async def test_a_cookie_names_its_person_and_is_stored_as_a_hash(env):
    user = await make_user(env, role=Role.ADMIN)
    secret = await open_session(env, user.id, DEVICE)
    assert len(secret) == 43
    found = await find_session(env, secret)
    assert (found.user, found.scopes) == (user, frozenset(Scope))
    assert await find_session_by_id(env, found.key) == found
    assert await find_session(env, secret + "x") is None
    assert await find_session(env, "\ud800") is None
    async with env.db.read(uid=EVERYONE) as db:
        stored = await db.scalar(text("SELECT sha256 FROM user_session"))
    assert len(stored) == 32


async def test_a_session_ends_after_a_week_alone_and_after_a_month_in_any_case(env):
    env = at(env, MONDAY)
    now = env.clock.now()
    user = await make_user(env)
    alone = await open_session(env, user.id, DEVICE)
    visited = await open_session(env, user.id, DEVICE)
    for day in range(1, 30):
        assert await find_session(at(env, now + timedelta(days=day)), visited)
    assert await find_session(at(env, now + timedelta(days=30)), visited) is None
    assert await find_session(at(env, now + timedelta(days=7)), alone) is None


async def test_signing_in_again_ends_what_the_cookie_held(env):
    user = await make_user(env)
    first = await open_session(env, user.id, DEVICE)
    second = await open_session(env, user.id, DEVICE, replaces=first)
    assert await find_session(env, first) is None
    assert await find_session(env, second)


async def test_the_list_shows_browsers_and_programs_and_which_one_asks(env):
    user, other = await make_user(env), await make_user(env, "charlie")
    browser, program = await by_session(env, user), await by_access_token(env, user)
    await by_session(env, other)
    found = await list_sign_ins(env, browser)
    assert {(s.kind, s.current) for s in found} == {("BROWSER", True), ("PROGRAM", False)}
    assert all(s.user_agent == DEVICE.user_agent and s.address == "192.0.2.0/24" for s in found)
    assert {s.current for s in await list_sign_ins(env, program) if s.kind == "PROGRAM"} == {True}


async def test_one_ends_one_s_own_sign_ins_and_nobody_else_s(env):
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    mine, program = await by_session(env, alice), await by_access_token(env, alice)
    told = set()
    for sign_in in (
        f"browser-{mine.key}",
        f"program-{program.key}",
        "browser-999",
        "program-0",
        "x-1",
        "",
        "browser-",
        "browser-é",
    ):
        with pytest.raises(NotFound) as refused:
            await end_sign_in(env, charlie.id, sign_in)
        told.add(str(refused.value))
    assert len(told) == 1
    assert await find_session_by_id(env, mine.key)
    await end_sign_in(env, alice.id, f"browser-{mine.key}")
    assert await find_session_by_id(env, mine.key) is None
    await end_this(env, program)
    assert await list_sign_ins(env, mine) == []


@pytest.mark.parametrize("kept", [by_session, by_access_token])
async def test_everywhere_but_here(env, kept):
    user = await make_user(env)
    here = await kept(env, user)
    await by_session(env, user)
    await by_access_token(env, user)
    await end_all(env, user.id, but=here)
    assert [s.current for s in await list_sign_ins(env, here)] == [True]
    await end_all(env, user.id)
    assert await list_sign_ins(env, here) == []
