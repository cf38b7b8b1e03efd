"""Personal API tokens: `stk_<id>_<43 characters><checksum>`, shown once, with scopes and an expiry.

The checksum (CRC-32 in six base-62 digits) lets a scanner of leaked secrets know one at sight, and
refuses a mistyped one without asking the database. Revocation works at the next request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from app.db.engine import EVERYONE
from app.db.models import ApiToken, User
from app.domain.access import Means, Role, Scope, scopes_of
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.owned import LONGEST_NAME, get_owned
from app.services.people.identity import Identity
from app.services.people.users import UserRow

PREFIX: Final = "stk_"
MOST: Final = 50  # tokens of one person
SEEN_EVERY: Final = timedelta(minutes=1)

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"stk_([0-9]{1,18})_([A-Za-z0-9_-]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True)
class ApiTokenRow:
    """A token without its secret. `expires_on` is the last day that it works (UTC)."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_on: date | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> ApiTokenRow:
        """From the table."""
        return cls(
            id=token.id,
            name=token.name,
            scopes=tuple(Scope(scope) for scope in token.scopes),
            created_at=token.created_at,
            expires_on=token.expires_on,
            last_used_at=token.last_used_at,
        )


async def create_api_token(
    env: Env, owner: UserRow, name: str, scopes: frozenset[Scope], expires_on: date | None
) -> tuple[ApiTokenRow, str]:
    """A new token and its text, which is not kept.

    Raises:
        BadInput: no name, no scope, a scope that the owner lacks, a day that has passed.
        Conflict: the owner has too many.
    """
    now, plain = env.clock.now(), name.strip()
    _check(owner, plain, scopes, expires_on, now.date())
    secret = secrets.token_urlsafe(32)
    ordered = [scope.value for scope in Scope if scope in scopes]
    async with env.db.write(uid=owner.id) as db:
        mine = ApiToken.user_id == owner.id, ApiToken.revoked_at.is_(None)
        if (await db.scalar(select(func.count()).where(*mine)) or 0) >= MOST:
            raise Conflict("You have %(bound)d API tokens. Revoke one first.", bound=MOST)
        token = ApiToken(
            user_id=owner.id,
            name=plain,
            sha256=_hash(secret),
            scopes=ordered,
            created_at=now,
            expires_on=expires_on,
        )
        db.add(token)
        await db.flush()
        return ApiTokenRow.of(token), _write(token.id, secret)


async def list_api_tokens(env: Env, user_id: int) -> list[ApiTokenRow]:
    """The person's tokens that were not revoked, the newest first."""
    mine = ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None)
    async with env.db.read(uid=user_id) as db:
        rows = await db.scalars(select(ApiToken).where(*mine).order_by(ApiToken.id.desc()))
        return [ApiTokenRow.of(row) for row in rows]


async def revoke_api_token(env: Env, user_id: int, token_id: str) -> None:
    """Ends a token.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    async with env.db.write(uid=user_id) as db:
        token = await get_owned(db, ApiToken, token_id, user_id, ApiToken.revoked_at.is_(None))
        token.revoked_at = env.clock.now()


async def find_api_token(env: Env, text: str) -> Identity | None:
    """Who a token belongs to, None when it is not in force; its use is written down."""
    shape = _SHAPE.fullmatch(text)
    if shape is None or _checksum(text[:-6]) != shape[3]:
        return None
    return await _find(env, int(shape[1]), _hash(shape[2]))


async def find_api_token_by_id(env: Env, token_id: int) -> Identity | None:
    """The same by the id of the token, for a connection that is still open."""
    return await _find(env, token_id, None)


async def _find(env: Env, token_id: int, sha256: bytes | None) -> Identity | None:
    now = env.clock.now()
    query = (
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None), User.in_force())
    )
    async with env.db.read(uid=EVERYONE) as db:
        found = (await db.execute(query)).one_or_none()
    if found is None:
        return None
    token, user = found
    expired = token.expires_on is not None and token.expires_on < now.date()
    if expired or (sha256 is not None and not hmac.compare_digest(token.sha256, sha256)):
        return None
    if token.last_used_at is None or now - token.last_used_at >= SEEN_EVERY:
        async with env.db.write(uid=user.id) as db:
            used = update(ApiToken).where(ApiToken.id == token.id)
            await db.execute(used.values(last_used_at=now))
    row = UserRow.of(user)
    granted = frozenset(Scope(scope) for scope in token.scopes)
    return Identity(row, scopes_of(row.role, granted), Means.API_TOKEN, token.id)


def _check(
    owner: UserRow, name: str, scopes: frozenset[Scope], expires_on: date | None, today: date
) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        msg = "name has %(value)d characters; 1 to %(bound)d are allowed"
        raise BadInput(msg, field="name", value=len(name), bound=LONGEST_NAME)
    if not scopes:
        raise BadInput("scopes is empty; a token needs one", field="scopes")
    if Scope.ADMIN in scopes and owner.role is not Role.ADMIN:
        raise BadInput("scopes has ADMIN, which only an administrator can give", field="scopes")
    if expires_on is not None and expires_on < today:
        msg = "The last day is %(value)s; it has passed"
        raise BadInput(msg, field="expiresOn", value=expires_on.isoformat())


def _write(token_id: int, secret: str) -> str:
    text = f"{PREFIX}{token_id}_{secret}"
    return text + _checksum(text)


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
