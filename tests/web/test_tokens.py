"""The 28 tokens at the door: four are let in, 24 get 401, and none makes a fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.db.engine import EVERYONE
from app.db.models import SigningKey, TokenFamily
from tests.clocks import StillClock, at
from tests.people import make_user
from tests.serving import asgi_client
from tests.tokens import KEY, OLD, Forge

NOW = datetime(2026, 1, 5, tzinfo=UTC)
NAMES = [*Forge(NOW).taken(), *Forge(NOW).refused()]


async def make_forge(env) -> Forge:
    """A forge for tokens of alice's sign-in, whose two keys the installation knows."""
    user = await make_user(env)
    async with env.db.write(uid=EVERYONE) as db:
        for key in (KEY, OLD):
            public = key.as_pem(private=False)
            db.add(SigningKey(kid=key.kid, private=b"", public=public, created_at=NOW))
        family = TokenFamily(
            user_id=user.id, created_at=NOW, seen_at=NOW, user_agent="", address=""
        )
        db.add(family)
        await db.flush()
        return Forge(NOW, user.id, family.id)


def test_there_are_28():
    assert len(NAMES) == 28


async def test_four_are_let_in_and_24_are_401(env, settings):
    forge = await make_forge(at(env, NOW))
    still = replace(settings, clock=StillClock(start=NOW))
    found = {}
    async with asgi_client(still) as client:
        for name, token in (forge.taken() | forge.refused()).items():
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post({"query": "{ me { username } }"}, **headers)
            found[name] = answer.status_code
            if answer.status_code == 200:
                assert answer.json() == {"data": {"me": {"username": "alice"}}}, name
    assert found == dict.fromkeys(forge.taken(), 200) | dict.fromkeys(forge.refused(), 401)


@pytest.mark.parametrize("other", ["user", "family"])
async def test_a_token_whose_sign_in_is_not_that_person_s_is_401(env, settings, other):
    forge = await make_forge(at(env, NOW))
    wrong = {"user": {"sub": "999999"}, "family": {"sid": "999999"}}[other]
    async with asgi_client(replace(settings, clock=StillClock(start=NOW))) as client:
        headers = {"Authorization": f"Bearer {forge.claiming(**wrong)}"}
        assert (await client.post({"query": "{ me { username } }"}, **headers)).status_code == 401
