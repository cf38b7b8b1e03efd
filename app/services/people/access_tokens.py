"""Access tokens: JWTs that live five minutes, signed with Ed25519 (RFC 9068, 8037, 8725).

The header has `typ` at+jwt and the `kid` of a key in the database; its private half is sealed. A
key signs for 30 days and is known for 60: while it is replaced both are taken. A token names the
family of its sign-in, so that what is revoked is refused at the next request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import SigningKey
from app.env import Env

ALGORITHM: Final = "Ed25519"
TYPE: Final = "at+jwt"
ISSUER: Final = "sise"
AUDIENCE: Final = "sise-api"
LIFETIME: Final = timedelta(minutes=5)
LEEWAY: Final = 5  # seconds
LONGEST_TOKEN: Final = 4_096  # characters
SIGNS_FOR: Final = timedelta(days=30)
KNOWN_FOR: Final = timedelta(days=60)

_ID: Final = re.compile(r"[0-9]{1,18}")
_PURPOSE: Final = "signing key"
_ESSENTIAL: Final[dict[str, Any]] = {
    "iss": {"essential": True, "value": ISSUER},
    "aud": {"essential": True, "value": AUDIENCE},
    **{name: {"essential": True} for name in ("exp", "iat", "sub", "jti", "sid")},
}


@dataclass(frozen=True)
class Claims:
    """What a token that was accepted says: whose it is, of which sign-in, and until when."""

    user_id: int
    family_id: int
    ends_at: datetime


async def sign_access(env: Env, user_id: int, family_id: int) -> str:
    """A new access token of a program's sign-in."""
    key = await _signing_key(env)
    begin = int(env.clock.now().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(family_id),
        "iat": begin,
        "exp": begin + int(LIFETIME.total_seconds()),
        "jti": secrets.token_urlsafe(16),
    }
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


async def read_access(env: Env, token: str) -> Claims | None:
    """What a token says when it is ours, whole and in force; None for any other."""
    if len(token) > LONGEST_TOKEN:
        return None
    now = env.clock.now()
    async with env.db.read() as db:
        known = select(SigningKey).where(SigningKey.created_at > now - KNOWN_FOR)
        rows = list(await db.scalars(known))
    return check_access(token, [_public(row) for row in rows], now)


def check_access(token: str, keys: list[OKPKey], now: datetime) -> Claims | None:
    """The claims of a token that one of the keys has signed and that is in force then."""
    seconds = int(now.timestamp())
    try:
        decoded = jwt.decode(token, _by_kid(keys), algorithms=[ALGORITHM])
        if decoded.header.get("typ") != TYPE:
            return None
        jwt.JWTClaimsRegistry(now=seconds, leeway=LEEWAY, **_ESSENTIAL).validate(decoded.claims)
        return _read_claims(decoded.claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def _by_kid(keys: list[OKPKey]) -> Any:
    known = {key.kid: key for key in keys}

    def find(token: Any) -> OKPKey:
        kid = token.headers().get("kid")
        if not isinstance(kid, str) or kid not in known:
            raise ValueError
        return known[kid]

    return find


def _read_claims(claims: dict[str, Any]) -> Claims | None:
    """Joserfc takes any exp, also one of the next century: a token of ours lives five minutes."""
    lived = claims["exp"] - claims["iat"]
    if not 0 < lived <= LIFETIME.total_seconds():
        return None
    user, family = claims["sub"], claims["sid"]
    if not isinstance(family, str) or not all(_ID.fullmatch(text) for text in (user, family)):
        return None
    return Claims(int(user), int(family), datetime.fromtimestamp(claims["exp"], UTC))


async def _signing_key(env: Env) -> OKPKey:
    """The newest key while it may sign, else a new one; the oldest are forgotten."""
    now = env.clock.now()
    async with env.db.read() as db:
        row = await _newest(env, db, now)
    if row is None:
        row = await _add_key(env, now)
    private = env.vault.open(row.private, _PURPOSE)
    return OKPKey.import_key(private, {"kid": row.kid})


async def _add_key(env: Env, now: datetime) -> SigningKey:
    key = OKPKey.generate_key(ALGORITHM)
    row = SigningKey(
        kid=f"{env.vault.mark}-{secrets.token_hex(8)}",
        private=env.vault.seal(key.as_pem(private=True), _PURPOSE),
        public=key.as_pem(private=False),
        created_at=now,
    )
    async with env.db.write() as db:
        await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-signing-key'))"))
        newest = await _newest(env, db, now)
        if newest is not None:  # another process was first
            return newest
        await db.execute(delete(SigningKey).where(SigningKey.created_at <= now - KNOWN_FOR))
        db.add(row)
    return row


async def _newest(env: Env, db: AsyncSession, now: datetime) -> SigningKey | None:
    """The newest key of this secret: those sealed with one before cannot be read any more."""
    ours = SigningKey.kid.startswith(env.vault.mark)
    query = select(SigningKey).where(SigningKey.created_at > now - SIGNS_FOR, ours)
    found: SigningKey | None = await db.scalar(
        query.order_by(SigningKey.created_at.desc()).limit(1)
    )
    return found


def _public(row: SigningKey) -> OKPKey:
    return OKPKey.import_key(row.public, {"kid": row.kid})
