"""Choices that outlive a restart, kept as JSON."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import BadInput, Unavailable
from app.services.settings import (
    choose_source,
    find_setting,
    get_source,
    hold_source,
    put_setting,
)


async def test_before_the_first_choice_there_is_no_source(env):
    with pytest.raises(Unavailable, match="sise up"):
        await get_source(env)


async def test_a_chosen_source_is_remembered(env):
    await choose_source(env, "sample")
    assert await get_source(env) == "sample"
    await choose_source(env, "yahoo")
    assert await get_source(env) == "yahoo"


async def test_an_unknown_source_is_refused_with_the_known_ones(env):
    with pytest.raises(BadInput, match="'bloomberg'; there are yahoo, sample") as refused:
        await choose_source(env, "bloomberg")
    assert refused.value.field == "source"
    assert await find_setting(env, "source") is None


@pytest.mark.parametrize(
    "value", [1.5, "삼성", True, [1, "a", None], {"day": "2012-03-05", "step": 2}]
)
async def test_any_json_value_comes_back_as_it_was(env, value):
    await put_setting(env, "choice", 0)
    await put_setting(env, "choice", value)
    assert await find_setting(env, "choice") == value


async def test_a_held_source_cannot_be_switched_until_the_transaction_ends(sample_env):
    async with sample_env.db.write() as db:
        assert await hold_source(db) == "sample"
        switch = asyncio.create_task(choose_source(sample_env, "yahoo"))
        done, _ = await asyncio.wait([switch], timeout=0.2)
        assert not done
        assert await get_source(sample_env) == "sample"
    await switch
    assert await get_source(sample_env) == "yahoo"
