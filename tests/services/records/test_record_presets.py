"""Presets: kept by name, within a number, seen by their owner alone."""

from __future__ import annotations

import pytest

from app.domain.records.columns import RecordField
from app.domain.records.kinds import RecordKind
from app.domain.records.mapping import RECOGNISED, ColumnMapping
from app.errors import BadInput, Conflict, NotFound
from app.services.records import record_presets
from app.services.records.record_presets import delete_preset, get_preset, list_presets, save_preset
from tests.people import make_user

SAID = ColumnMapping({RecordField.DAY: ("거래일",)}, {"공모청약": RecordKind.BUY}, "KRW")


async def test_a_preset_is_kept_replaced_and_forgotten(env):
    alice = await make_user(env)
    first = await save_preset(env, alice.id, " 키움 ", RECOGNISED)
    again = await save_preset(env, alice.id, "키움", SAID)
    assert (again.id, again.name, again.mapping) == (first.id, "키움", SAID)
    await save_preset(env, alice.id, "NH", RECOGNISED)
    assert [row.name for row in await list_presets(env, alice.id)] == ["NH", "키움"]
    assert (await get_preset(env, alice.id, str(again.id))).mapping == SAID
    await delete_preset(env, alice.id, str(again.id))
    assert [row.name for row in await list_presets(env, alice.id)] == ["NH"]


async def test_what_cannot_be_kept_is_refused(env, monkeypatch):
    alice = await make_user(env)
    with pytest.raises(BadInput, match="name is"):
        await save_preset(env, alice.id, " ", SAID)
    with pytest.raises(BadInput, match="EUR is not supported"):
        await save_preset(env, alice.id, "x", ColumnMapping(currency="EUR"))
    monkeypatch.setattr(record_presets, "MOST_PRESETS", 1)
    await save_preset(env, alice.id, "a", SAID)
    await save_preset(env, alice.id, "a", RECOGNISED)
    with pytest.raises(Conflict, match="1 presets already"):
        await save_preset(env, alice.id, "b", SAID)
    assert len(await list_presets(env, alice.id)) == 1


async def test_somebody_elses_preset_is_not_there(env):
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    own = await save_preset(env, alice.id, "a", SAID)
    assert await list_presets(env, charlie.id) == []
    for use in (get_preset, delete_preset):
        with pytest.raises(NotFound):
            await use(env, charlie.id, str(own.id))
    assert await list_presets(env, alice.id) == [own]
