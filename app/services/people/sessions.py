"""Sign-ins: a browser's sessions, and the list of them with those of programs.

A session is an opaque 256-bit secret in a cookie; only its SHA-256 is stored. It ends after 7 days
without a visit, and after 30 days in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import TokenFamily, User, UserSession
from app.domain.access import Means, scopes_of
from app.env import Env
from app.services.owned import get_owned, missing
from app.services.people.identity import Device, Identity
from app.services.people.one_time import hash_secret, make_secret
from app.services.people.users import UserRow

IDLE: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=30)
SEEN_EVERY: Final = timedelta(minutes=1)
"""A visit is written down no more often than this."""

MOST: Final = 100
"""Sign-ins of a kind that are listed."""

Kind = Literal["BROWSER", "PROGRAM"]


@dataclass(frozen=True)
class SignIn:
    """One place where somebody is signed in; `id` is `browser-3` or `program-4`."""

    id: str
    kind: Kind
    created_at: datetime
    seen_at: datetime
    user_agent: str
    address: str
    current: bool


async def open_session(
    env: Env, user_id: int, device: Device, *, replaces: str | None = None
) -> str:
    """Signs a browser in: the secret of its cookie. What the cookie held before ends."""
    secret = make_secret()
    now = env.clock.now()
    async with env.db.write(uid=EVERYONE) as db:
        if replaces is not None:
            await db.execute(delete(UserSession).where(UserSession.sha256 == hash_secret(replaces)))
        old = UserSession.user_id == user_id, UserSession.ends_at <= now
        await db.execute(delete(UserSession).where(*old))
        db.add(
            UserSession(
                user_id=user_id,
                sha256=hash_secret(secret),
                created_at=now,
                seen_at=now,
                idle_at=now + IDLE,
                ends_at=now + LONGEST,
                user_agent=device.user_agent,
                address=device.address,
            )
        )
    return secret


async def find_session(env: Env, secret: str) -> Identity | None:
    """Who a cookie belongs to, None when nobody; the visit is written down."""
    return await _find(env, UserSession.sha256 == hash_secret(secret))


async def find_session_by_id(env: Env, session_id: int) -> Identity | None:
    """The same by the id of the session, for a connection that is still open."""
    return await _find(env, UserSession.id == session_id)


async def list_sign_ins(env: Env, identity: Identity) -> list[SignIn]:
    """Where the person is signed in, the latest visit first."""
    user_id, now = identity.user.id, env.clock.now()
    open_ = UserSession.user_id == user_id, UserSession.idle_at > now, UserSession.ends_at > now
    programs = TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None)
    recent = TokenFamily.seen_at > now - LONGEST
    async with env.db.read(uid=user_id) as db:
        seen = select(UserSession).where(*open_).order_by(UserSession.seen_at.desc())
        browsers = list(await db.scalars(seen.limit(MOST)))
        used = select(TokenFamily).where(*programs, recent).order_by(TokenFamily.seen_at.desc())
        families = list(await db.scalars(used.limit(MOST)))
    found = [_sign_in(row, "BROWSER", identity) for row in browsers]
    found += [_sign_in(row, "PROGRAM", identity) for row in families]
    return sorted(found, key=lambda s: (s.seen_at, s.id), reverse=True)


async def end_sign_in(env: Env, user_id: int, sign_in_id: str) -> None:
    """Ends one of the person's sign-ins.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    kind, _, number = sign_in_id.partition("-")
    async with env.db.write(uid=user_id) as db:
        if kind == "browser":
            await db.delete(await get_owned(db, UserSession, number, user_id))
        elif kind == "program":
            family = await get_owned(
                db, TokenFamily, number, user_id, TokenFamily.revoked_at.is_(None)
            )
            family.revoked_at = env.clock.now()
        else:
            raise missing()


async def end_this(env: Env, identity: Identity) -> None:
    """Ends the sign-in that the caller has come by."""
    word = {Means.SESSION: "browser", Means.ACCESS: "program"}[identity.means]
    await end_sign_in(env, identity.user.id, f"{word}-{identity.key}")


async def end_all(env: Env, user_id: int, *, but: Identity | None = None) -> None:
    """Signs the person out everywhere, but for one sign-in."""
    async with env.db.write(uid=user_id) as db:
        await drop_sign_ins(db, user_id, env.clock.now(), but=but)


async def drop_sign_ins(
    db: AsyncSession, user_id: int, now: datetime, *, but: Identity | None = None
) -> None:
    """`end_all` as a part of the caller's transaction."""
    kept = but.means if but is not None else None
    key = but.key if but is not None else 0
    browsers = delete(UserSession).where(UserSession.user_id == user_id)
    if kept is Means.SESSION:
        browsers = browsers.where(UserSession.id != key)
    programs = update(TokenFamily).where(
        TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None)
    )
    if kept is Means.ACCESS:
        programs = programs.where(TokenFamily.id != key)
    await db.execute(browsers)
    await db.execute(programs.values(revoked_at=now))


async def _find(env: Env, which: object) -> Identity | None:
    now = env.clock.now()
    query = (
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(which, UserSession.idle_at > now, UserSession.ends_at > now)  # type: ignore[arg-type]
        .where(User.in_force())
    )
    async with env.db.read(uid=EVERYONE) as db:
        found = (await db.execute(query)).one_or_none()
    if found is None:
        return None
    session, user = found
    if now - session.seen_at >= SEEN_EVERY:
        seen = update(UserSession).where(UserSession.id == session.id)
        async with env.db.write(uid=user.id) as db:
            await db.execute(seen.values(seen_at=now, idle_at=now + IDLE))
    row = UserRow.of(user)
    return Identity(row, scopes_of(row.role), Means.SESSION, session.id)


def _sign_in(row: UserSession | TokenFamily, kind: Kind, identity: Identity) -> SignIn:
    means = Means.SESSION if kind == "BROWSER" else Means.ACCESS
    return SignIn(
        id=f"{kind.lower()}-{row.id}",
        kind=kind,
        created_at=row.created_at,
        seen_at=row.seen_at,
        user_agent=row.user_agent,
        address=row.address,
        current=identity.means is means and identity.key == row.id,
    )
