"""Access tokens: the 28 of the token test, and keys that are replaced while tokens live."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text

from app.adapters.vault import Vault
from app.services.access_tokens import check_access, read_access, sign_access
from tests.clocks import at
from tests.people import make_user

NOW = datetime(2026, 1, 5, tzinfo=UTC)
BEGIN = int(NOW.timestamp())
KEY = OKPKey.generate_key("Ed25519", {"kid": "new"})
OLD = OKPKey.generate_key("Ed25519", {"kid": "old"})
STRANGE = OKPKey.generate_key("Ed25519", {"kid": "new"})
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "new"}
CLAIMS = {
    "iss": "sise", "aud": "sise-api", "sub": "7", "sid": "9",
    "iat": BEGIN, "exp": BEGIN + 300, "jti": "x",
}  # fmt: skip


def b64(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims: object = None, key: OKPKey = KEY, **header: object) -> str:
    """A token of any header, signed by hand: a library would refuse to make most of them."""
    head = {k: v for k, v in (HEADER | header).items() if v is not None}
    text_ = f"{b64(head)}.{b64(CLAIMS if claims is None else claims)}"
    signature = key.private_key.sign(text_.encode())
    return f"{text_}.{b64(signature)}"


def with_claims(**changes: object) -> str:
    return signed({k: v for k, v in (CLAIMS | changes).items() if v is not None})


def hs256() -> str:
    head = b64({"alg": "HS256", "typ": "at+jwt", "kid": "new"})
    text_ = f"{head}.{b64(CLAIMS)}"
    mac = hmac.digest(KEY.as_pem(private=False), text_.encode(), hashlib.sha256)
    return f"{text_}.{b64(mac)}"


GOOD = signed()
TAKEN = {
    "good": GOOD,
    "previous key": signed(key=OLD, kid="old"),
    "3 s past exp": with_claims(iat=BEGIN - 303, exp=BEGIN - 3),
    "aud list that holds ours": with_claims(aud=["other", "sise-api"]),
}
REFUSED = {
    "alg none": f"{b64(HEADER | {'alg': 'none'})}.{b64(CLAIMS)}.",
    "alg nOnE": f"{b64(HEADER | {'alg': 'nOnE'})}.{b64(CLAIMS)}.",
    "HS256 with the public key": hs256(),
    "same kid, other key": signed(key=STRANGE),
    "jwk header": signed(key=STRANGE, jwk=STRANGE.as_dict(private=False)),
    "jku header": signed(key=STRANGE, jku="https://evil.example/keys"),
    "kid as a path": signed(kid="../../dev/null"),
    "no kid": signed(kid=None),
    "unknown crit": signed(crit=["x"], x=1),
    "expired": with_claims(iat=BEGIN - 306, exp=BEGIN - 6),
    "future nbf": with_claims(nbf=BEGIN + 60),
    "future iat": with_claims(iat=BEGIN + 60),
    "wrong aud": with_claims(aud="other"),
    "wrong iss": with_claims(iss="other"),
    "no exp": with_claims(exp=None),
    "no jti": with_claims(jti=None),
    "typ JWT": signed(typ="JWT"),
    "changed bit": GOOD.replace(b64(CLAIMS), b64(CLAIMS | {"sub": "8"})),
    "cut signature": GOOD[:-8],
    "empty": "",
    "10 MB": GOOD + "A" * 10_000_000,
    "payload that is no JSON": signed(b"\xff\xfe"),
    "exp as a text": with_claims(exp=str(BEGIN + 300)),
    "exp of the next century": with_claims(exp=1e30),
}


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
        CLAIMS | {"sub": 7},
        CLAIMS | {"sid": None},
        CLAIMS | {"sub": "-1"},
        CLAIMS | {"iat": True},
        CLAIMS | {"exp": BEGIN},
        CLAIMS | {"exp": float("inf")},
        CLAIMS | {"sub": "9" * 40},
    ],
)
def test_claims_of_another_shape_are_refused_without_a_fault(claims):
    assert check_access(signed(claims), [KEY], NOW) is None


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
