"""Saved screens: kept by name, within a number, seen by their owner alone."""

from __future__ import annotations

import pytest

from app.domain.screening import ScreenPreset, Term
from app.errors import BadInput, Conflict, NotFound
from app.services.screening import saved
from app.services.screening.hits import Screen
from app.services.screening.saved import delete_screen, list_screens, save_screen
from tests.people import make_user

GROUPS = ((Term("rsi_14", high=30.0), Term("sector", words=("Energy", "Utilities"))),)
CHEAP = Screen(ScreenPreset.VALUE, GROUPS, "trailing_pe", descending=True)


async def test_a_screen_is_kept_replaced_and_forgotten(env):
    alice = await make_user(env)
    first = await save_screen(env, alice.id, " 저평가 ", Screen())
    again = await save_screen(env, alice.id, "저평가", CHEAP)
    assert (again.id, again.name, again.screen) == (first.id, "저평가", CHEAP)
    await save_screen(env, alice.id, "all", Screen())
    assert [row.name for row in await list_screens(env, alice.id)] == ["all", "저평가"]
    assert (await list_screens(env, alice.id))[1].screen == CHEAP
    await delete_screen(env, alice.id, str(again.id))
    assert [row.name for row in await list_screens(env, alice.id)] == ["all"]


async def test_what_cannot_be_kept_is_refused(env, monkeypatch):
    alice = await make_user(env)
    with pytest.raises(BadInput, match="name is"):
        await save_screen(env, alice.id, " ", CHEAP)
    with pytest.raises(BadInput, match="There is no figure 'x'"):
        await save_screen(env, alice.id, "x", Screen(groups=((Term("x", low=1.0),),)))
    monkeypatch.setattr(saved, "MOST_SCREENS", 1)
    await save_screen(env, alice.id, "a", CHEAP)
    await save_screen(env, alice.id, "a", Screen())
    with pytest.raises(Conflict, match="1 saved screens already"):
        await save_screen(env, alice.id, "b", CHEAP)


async def test_somebody_elses_screen_is_not_there(env):
    alice, bob = await make_user(env), await make_user(env, "bob")
    kept = await save_screen(env, alice.id, "mine", CHEAP)
    assert await list_screens(env, bob.id) == []
    with pytest.raises(NotFound):
        await delete_screen(env, bob.id, str(kept.id))
    assert len(await list_screens(env, alice.id)) == 1
