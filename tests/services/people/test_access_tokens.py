"""Access tokens: the 28 of the token test, and keys that are replaced while tokens live."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.adapters.vault import Vault
from app.services.people.access_tokens import check_access, read_access, sign_access
from tests.clocks import at
from tests.people import make_user
from tests.tokens import KEY, OLD, Forge

NOW = datetime(2026, 1, 5, tzinfo=UTC)
FORGE = Forge(NOW)
TAKEN, REFUSED = FORGE.taken(), FORGE.refused()


def test_there_are_28():
    assert len(TAKEN) + len(REFUSED) == 28


@pytest.mark.parametrize("name", TAKEN)
def test_a_token_in_force_is_taken(name):
    claims = check_access(TAKEN[name], [KEY, OLD], NOW)
    assert claims is not None
    assert (claims.user_id, claims.family_id) == (7, 9)


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_is_refused(name):
    assert check_access(REFUSED[name], [KEY, OLD], NOW) is None


@pytest.mark.parametrize(
    "claims",
    [
        [],
        "x",
        1,
        b"null",
        {"sub": 7},
        FORGE.claims | {"sub": 7},
        FORGE.claims | {"sid": None},
        FORGE.claims | {"sub": "-1"},
        FORGE.claims | {"iat": True},
        FORGE.claims | {"exp": FORGE.begin},
        FORGE.claims | {"exp": float("inf")},
        FORGE.claims | {"sub": "9" * 40},
    ],
)
def test_claims_of_another_shape_are_refused_without_a_fault(claims):
    assert check_access(FORGE.signed(claims), [KEY], NOW) is None


async def test_ours_is_signed_as_decided_and_read_again(env):
    user = await make_user(env)
    token = await sign_access(env, user.id, 9)
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert (head["alg"], head["typ"]) == ("Ed25519", "at+jwt")
    claims = await read_access(env, token)
    assert (claims.user_id, claims.family_id) == (user.id, 9)
    assert await read_access(env, token + "A" * 5_000) is None


async def test_a_key_signs_a_month_is_known_two_and_its_private_half_is_sealed(env):
    env = at(env, NOW)
    token = await sign_access(env, 1, 1)
    later = at(env, NOW + timedelta(days=30))
    await sign_access(later, 1, 1)
    async with env.db.read() as db:
        rows = list(await db.execute(text("SELECT kid, private FROM signing_key")))
    assert len(rows) == 2
    assert not any(b"PRIVATE" in row.private for row in rows)
    assert await read_access(env, token)
    await sign_access(at(env, NOW + timedelta(days=61)), 1, 1)
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT count(*) FROM signing_key")) == 2
    assert await read_access(env, token) is None


async def test_a_new_secret_signs_with_a_new_key_and_the_old_tokens_live_on(env):
    token = await sign_access(env, 1, 1)
    changed = replace(env, vault=Vault(b"another secret of this installation"))
    assert await read_access(changed, await sign_access(changed, 1, 1))
    assert await read_access(changed, token)
