"""Connecting a provider: with the password, in one browser, for ten minutes; and forgetting it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.errors import Conflict, NotFound, Unauthenticated
from app.providers import Provider
from app.services.people.authentication import find_again
from app.services.people.external_sign_in import Vouched, sign_in_by
from app.services.people.linked_providers import (
    begin_link,
    check_ticket,
    link,
    list_linked,
    unlink,
)
from tests.clocks import at
from tests.people import PASSWORD, by_session, make_user

HOME = Provider("home", "Home", "https://home.example/", "id", "geheim")
ALICE = Vouched("Home", "https://home.example", "17", names=("alice",))


@pytest.fixture
def set_up(env):
    return replace(env, settings=replace(env.settings, providers=(HOME,)))


async def ticket_of(env, identity):
    return (await begin_link(env, identity, "home", PASSWORD)).partition("?link=")[2]


async def test_a_ticket_is_for_one_person_browser_and_provider(set_up):
    user = await make_user(set_up)
    here, there = await by_session(set_up, user), await by_session(set_up, user)
    bob = await by_session(set_up, await make_user(set_up, "bob"))
    ticket = await ticket_of(set_up, here)
    assert check_ticket(set_up, here, "home", ticket) == here
    late = at(set_up, (set_up.clock.now() + timedelta(minutes=10, seconds=1)).isoformat())
    wrong = [
        (set_up, there, "home", ticket),
        (set_up, bob, "home", ticket),
        (set_up, None, "home", ticket),
        (set_up, here, "other", ticket),
        (late, here, "home", ticket),
        (set_up, here, "home", ticket[:-8]),
        (set_up, here, "home", "\ud800"),
        (set_up, here, "home", "a"),
    ]
    for env, identity, key, given in wrong:
        with pytest.raises(Unauthenticated, match="Begin again"):
            check_ticket(env, identity, key, given)


async def test_it_takes_the_password_and_a_provider_that_there_is(set_up):
    here = await by_session(set_up, await make_user(set_up))
    with pytest.raises(Unauthenticated):
        await begin_link(set_up, here, "home", "wrong")
    with pytest.raises(NotFound):
        await begin_link(set_up, here, "other", PASSWORD)


async def test_what_is_connected_signs_in_and_is_nobody_else_s(set_up):
    user = await make_user(set_up)
    here = await by_session(set_up, user)
    bob = await by_session(set_up, await make_user(set_up, "bob"))
    for _ in range(2):
        await link(set_up, here, ALICE)
    assert (await sign_in_by(set_up, ALICE)).id == user.id
    with pytest.raises(Conflict, match="another account"):
        await link(set_up, bob, ALICE)
    (row,) = await list_linked(set_up, user.id)
    assert (row.key, row.title) == ("home", "Home")
    gone = replace(set_up, settings=replace(set_up.settings, providers=()))
    (row,) = await list_linked(gone, user.id)
    assert (row.key, row.title) == (None, "https://home.example")
    with pytest.raises(NotFound):
        await unlink(set_up, bob, str(row.id), PASSWORD)
    with pytest.raises(Unauthenticated):
        await unlink(set_up, here, str(row.id), "wrong")
    await unlink(set_up, here, str(row.id), PASSWORD)
    assert await list_linked(set_up, user.id) == []


async def test_the_only_way_in_stays(set_up):
    user = await sign_in_by(set_up, ALICE)
    here = await by_session(set_up, user)
    (row,) = await list_linked(set_up, user.id)
    with pytest.raises(Conflict, match="only way in"):
        await unlink(set_up, here, str(row.id), "")
    second = Vouched("Other", "https://other.example", "1")
    await link(set_up, here, second)
    await unlink(set_up, await find_again(set_up, here), str(row.id), "")
    assert [row.title for row in await list_linked(set_up, user.id)] == ["https://other.example"]
