"""Personal API tokens: shown once, checked by shape, hash, expiry and revocation."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.domain.access import Means, Role, Scope
from app.errors import BadInput, Conflict, NotFound
from app.services.people import api_tokens as module
from app.services.people.api_tokens import (
    create_api_token,
    find_api_token,
    find_api_token_by_id,
    list_api_tokens,
    revoke_api_token,
)
from tests.clocks import at
from tests.people import make_user

READ = frozenset({Scope.READ})


async def test_a_token_works_until_it_is_revoked_and_is_stored_as_a_hash(env):
    user = await make_user(env)
    row, token = await create_api_token(env, user, " bot ", READ | {Scope.TRADE}, None)
    assert re.fullmatch(r"stk_\d+_[\w-]{43}\w{6}", token)
    assert (row.name, row.scopes, row.last_used_at) == ("bot", (Scope.READ, Scope.TRADE), None)
    found = await find_api_token(env, token)
    assert (found.user, found.means, found.scopes) == (user, Means.API_TOKEN, set(row.scopes))
    assert await find_api_token_by_id(env, row.id) == found
    assert (await list_api_tokens(env, user.id))[0].last_used_at is not None
    async with env.db.read(uid=EVERYONE) as db:
        stored = str(await db.scalar(text("SELECT api_token::text FROM api_token")))
    assert token[10:40] not in stored
    await revoke_api_token(env, user.id, str(row.id))
    assert await find_api_token(env, token) is None
    assert await find_api_token_by_id(env, row.id) is None
    assert await list_api_tokens(env, user.id) == []
    with pytest.raises(NotFound):
        await revoke_api_token(env, user.id, str(row.id))


async def test_a_changed_or_foreign_one_is_refused(env):
    user = await make_user(env)
    _, token = await create_api_token(env, user, "bot", READ, None)
    row, _ = await create_api_token(env, user, "other", READ, None)
    moved = module._write(row.id, token.split("_", 2)[2][:43])
    for wrong in (
        "",
        "stk_",
        token[:-1],
        token[:-1] + "!",
        token[:12] + "A" + token[13:],
        moved,
        token + "x",
    ):
        assert wrong == token or await find_api_token(env, wrong) is None


async def test_it_works_through_its_last_day(env):
    env = at(env, "2026-01-05T12:00:00Z")
    user = await make_user(env)
    _, token = await create_api_token(env, user, "bot", READ, date(2026, 1, 6))
    assert await find_api_token(at(env, "2026-01-06T23:59:59Z"), token)
    assert await find_api_token(at(env, "2026-01-07T00:00:00Z"), token) is None


@pytest.mark.parametrize(
    ("name", "scopes", "day", "field"),
    [
        ("", READ, None, "name"),
        ("x" * 61, READ, None, "name"),
        ("a\nb", READ, None, "name"),
        ("bot", frozenset(), None, "scopes"),
        ("bot", frozenset({Scope.ADMIN}), None, "scopes"),
        ("bot", READ, date(2020, 1, 1), "expiresOn"),
    ],
)
async def test_what_cannot_be_is_told(env, name, scopes, day, field):
    with pytest.raises(BadInput) as refused:
        await create_api_token(env, await make_user(env), name, scopes, day)
    assert refused.value.field == field


async def test_nobody_has_more_than_fifty(env, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1)
    user = await make_user(env, role=Role.ADMIN)
    await create_api_token(env, user, "bot", frozenset({Scope.ADMIN}), None)
    with pytest.raises(Conflict):
        await create_api_token(env, user, "bot", READ, None)
