"""A program's sign-in: a short access token, and a refresh token, used once for the next pair.

Rotation is one conditional UPDATE: of any number of uses at once one alone finds the token unused.
Whoever uses it again is a thief or was robbed: the whole family is revoked (RFC 9700, 4.14.2).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import RefreshToken, TokenFamily, User
from app.domain.access import Means, scopes_of
from app.env import Env
from app.errors import Unauthenticated
from app.services.people.access_tokens import LIFETIME, read_access, sign_access
from app.services.people.identity import Device, Identity
from app.services.people.users import UserRow

PREFIX: Final = "srt_"
EXPIRES_IN: Final = timedelta(days=30)


@dataclass(frozen=True)
class TokenPair:
    """What a program gets: the access token lives `expires_in` seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


async def open_family(env: Env, user_id: int, device: Device) -> TokenPair:
    """Signs a program in; those of the person's whose last token has ended are forgotten."""
    now = env.clock.now()
    dead = TokenFamily.user_id == user_id, TokenFamily.seen_at <= now - EXPIRES_IN
    async with env.db.write(uid=user_id) as db:
        await db.execute(delete(TokenFamily).where(*dead))
        family = TokenFamily(
            user_id=user_id,
            created_at=now,
            seen_at=now,
            user_agent=device.user_agent,
            address=device.address,
        )
        db.add(family)
        await db.flush()
        refresh = _add_token(db, user_id, family.id, None, now)
    return await _pair(env, user_id, family.id, refresh)


async def refresh_pair(env: Env, refresh_token: str) -> TokenPair:
    """The next pair for a refresh token that was not used yet; what has ended is forgotten.

    Raises:
        Unauthenticated: it is none, too old, revoked, or was used: then its family is revoked.
    """
    now = env.clock.now()
    async with env.db.write(uid=EVERYONE) as db:
        used = await _use(db, refresh_token, now)
        if used is not None:
            fresh = _add_token(db, used.user_id, used.family_id, used.id, now)
            seen = update(TokenFamily).where(TokenFamily.id == used.family_id)
            await db.execute(seen.values(seen_at=now))
            ended = RefreshToken.family_id == used.family_id, RefreshToken.expires_at <= now
            await db.execute(delete(RefreshToken).where(*ended))
        else:
            await _revoke_used(db, refresh_token, now)
    if used is None:
        raise Unauthenticated("The refresh token is not valid. Sign in again.")
    return await _pair(env, used.user_id, used.family_id, fresh)


async def find_access(env: Env, token: str) -> Identity | None:
    """Who an access token belongs to, None when it is not in force or its sign-in was ended."""
    claims = await read_access(env, token)
    if claims is None:
        return None
    found = await find_family(env, claims.family_id)
    if found is None or found.user.id != claims.user_id:
        return None
    return replace(found, ends_at=claims.ends_at)


async def find_family(env: Env, family_id: int) -> Identity | None:
    """Who a program's sign-in belongs to, None when it was ended."""
    query = (
        select(User)
        .join(TokenFamily, TokenFamily.user_id == User.id)
        .where(TokenFamily.id == family_id, TokenFamily.revoked_at.is_(None))
        .where(User.in_force())
    )
    async with env.db.read(uid=EVERYONE) as db:
        user = await db.scalar(query)
    if user is None:
        return None
    row = UserRow.of(user)
    return Identity(row, scopes_of(row.role), Means.ACCESS, family_id)


async def _use(db: AsyncSession, token: str, now: datetime) -> RefreshToken | None:
    alive = select(TokenFamily.id).where(
        TokenFamily.id == RefreshToken.family_id, TokenFamily.revoked_at.is_(None)
    )
    row = (
        update(RefreshToken)
        .where(
            RefreshToken.sha256 == _hash(token),
            RefreshToken.used_at.is_(None),
            RefreshToken.expires_at > now,
            alive.exists(),
        )
        .values(used_at=now)
        .returning(RefreshToken)
    )
    found: RefreshToken | None = await db.scalar(row)
    return found


async def _revoke_used(db: AsyncSession, token: str, now: datetime) -> None:
    """Revokes the family of a token that was used before; of a mistyped one nothing is known."""
    family = select(RefreshToken.family_id).where(
        RefreshToken.sha256 == _hash(token), RefreshToken.used_at.is_not(None)
    )
    revoke = update(TokenFamily).where(TokenFamily.id.in_(family), TokenFamily.revoked_at.is_(None))
    await db.execute(revoke.values(revoked_at=now))


def _add_token(
    db: AsyncSession, user_id: int, family_id: int, parent_id: int | None, now: datetime
) -> str:
    token = PREFIX + secrets.token_urlsafe(32)
    db.add(
        RefreshToken(
            user_id=user_id,
            family_id=family_id,
            parent_id=parent_id,
            sha256=_hash(token),
            created_at=now,
            expires_at=now + EXPIRES_IN,
        )
    )
    return token


async def _pair(env: Env, user_id: int, family_id: int, refresh: str) -> TokenPair:
    access = await sign_access(env, user_id, family_id)
    return TokenPair(access, refresh, int(LIFETIME.total_seconds()))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
