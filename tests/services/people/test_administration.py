"""Accounts in the hands of administrators: the last one who can sign in stays one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.domain.access import Role
from app.errors import BadInput, Conflict, NotFound, Unauthenticated
from app.services.people.administration import (
    change_role,
    count_accounts,
    delete_user,
    disable_account,
    enable_account,
    list_accounts,
    start_demo,
)
from app.services.people.authentication import find_again
from app.services.people.sign_in import sign_in
from app.services.people.users import find_user, get_by_name
from tests.people import PASSWORD, by_access_token, by_api_token, by_session, make_user


async def test_accounts_are_listed_in_pages_and_found_by_name_or_address(env):
    for n in range(5):
        await make_user(env, f"user{n}")
    page = await list_accounts(env, first=3)
    assert [row.username for row in page.rows] == ["user0", "user1", "user2"]
    rest = await list_accounts(env, first=3, after=page.cursors[-1])
    assert ([row.username for row in rest.rows], rest.has_next) == (["user3", "user4"], False)
    for search, count in (("USER3", 1), ("3@example", 1), ("example.com", 5), ("%", 0), ("\0", 5)):
        assert await count_accounts(env, search) == count, search
    with pytest.raises(BadInput):
        await list_accounts(env, after="x")


async def test_the_last_administrator_who_can_sign_in_stays_one(env):
    await make_user(env, "root", Role.ADMIN)
    await make_user(env, "alice")
    for step in (
        lambda: change_role(env, "root", Role.USER),
        lambda: disable_account(env, "root"),
        lambda: delete_user(env, "root"),
    ):
        with pytest.raises(Conflict, match="root is the only administrator"):
            await step()
    assert (await change_role(env, "Alice", Role.ADMIN)).role is Role.ADMIN
    await disable_account(env, "alice")
    with pytest.raises(Conflict):  # a disabled one is no other administrator
        await change_role(env, "root", Role.USER)
    await enable_account(env, "alice")
    assert (await change_role(env, "root", Role.USER)).role is Role.USER
    with pytest.raises(NotFound):
        await change_role(env, "nobody", Role.USER)


async def test_of_two_administrators_who_leave_at_once_one_stays(env):
    for name in ("one", "two"):
        await make_user(env, name, Role.ADMIN)
    steps = (change_role(env, "one", Role.USER), change_role(env, "two", Role.USER))
    tasks = [asyncio.ensure_future(step) for step in steps]
    await asyncio.wait(tasks)
    assert sorted(task.exception() is None for task in tasks) == [False, True]
    roles = [(await get_by_name(env, name)).role for name in ("one", "two")]
    assert roles.count(Role.ADMIN) == 1


async def test_a_disabled_account_is_out_until_it_is_enabled(env):
    await make_user(env, "root", Role.ADMIN)
    user = await make_user(env)
    means = [await make(env, user) for make in (by_session, by_access_token, by_api_token)]
    assert (await disable_account(env, "alice")).disabled_at
    assert [await find_again(env, identity) for identity in means] == [None] * 3
    with pytest.raises(Unauthenticated, match="username or the password"):
        await sign_in(env, "alice", PASSWORD)
    assert (await enable_account(env, "alice")).disabled_at is None
    assert await sign_in(env, "alice", PASSWORD)
    alive = [await find_again(env, identity) is not None for identity in means]
    assert alive == [False, False, True]  # what was ended stays ended; a token counts again


async def test_a_deleted_account_is_gone(env):
    await make_user(env, "root", Role.ADMIN)
    user = await make_user(env)
    await delete_user(env, "alice")
    assert await find_user(env, user.id) is None
    assert await count_accounts(env) == 1


async def test_the_demo_is_the_first_account_of_a_server_of_this_machine(env):
    beyond = replace(env, settings=replace(env.settings, host="0.0.0.0"))
    with pytest.raises(Conflict, match="no other machine"):
        await start_demo(beyond)
    made = await start_demo(env)
    assert (made.user.username, made.user.role) == ("demo", Role.ADMIN)
    assert len(made.password) == 16
    assert await sign_in(env, "demo", made.password)
    with pytest.raises(Conflict, match="before any other"):
        await start_demo(env)
