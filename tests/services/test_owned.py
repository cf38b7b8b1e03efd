"""What belongs to somebody else answers exactly as what does not exist."""

from __future__ import annotations

import pytest

from app.db.models import ApiToken
from app.errors import NotFound
from app.services.owned import get_owned
from tests.people import by_api_token, make_user


async def test_foreign_missing_and_nonsense_are_told_in_the_same_words(env):
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    token = await by_api_token(env, alice)
    async with env.db.write(uid=alice.id) as db:
        assert (await get_owned(db, ApiToken, str(token.key), alice.id)).user_id == alice.id
    told = set()
    for wrong in (str(token.key), "999999", "0", "-1", "", "x", "\uff11", "9" * 30):
        async with env.db.write(uid=charlie.id) as db:
            with pytest.raises(NotFound) as refused:
                await get_owned(db, ApiToken, wrong, charlie.id)
        told.add(str(refused.value))
    assert len(told) == 1


async def test_without_the_where_the_second_wall_holds(env):
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    token = await by_api_token(env, alice)
    async with env.db.write(uid=charlie.id) as db:
        with pytest.raises(NotFound):
            await get_owned(db, ApiToken, str(token.key), alice.id)
