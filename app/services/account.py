"""What somebody changes about the own account: password, e-mail, and its end."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import (
    ApiToken,
    OidcIdentity,
    PasswordReset,
    RecoveryCode,
    TokenFamily,
    User,
    UserSession,
)
from app.domain.access import Role
from app.domain.people import check_email, check_password
from app.env import Env
from app.errors import Conflict
from app.services.identity import Identity
from app.services.sessions import drop_sign_ins
from app.services.sign_in import require_password
from app.services.users import UserRow

THEIRS: Final = (UserSession, TokenFamily, ApiToken, RecoveryCode, OidcIdentity, PasswordReset)
"""What goes with an account; refresh tokens go with their family."""


async def change_password(env: Env, identity: Identity, current: str, fresh: str) -> None:
    """Stores a new password and ends every other sign-in.

    Raises:
        Unauthenticated: the current one is not right.
        BadInput: the new one could be guessed.
    """
    check_password(fresh, identity.user.username, identity.user.email)
    await require_password(env, identity, current)
    await _store_password(env, identity.user.id, fresh, but=identity)


async def reset_password(env: Env, user: UserRow, fresh: str) -> None:
    """Stores a new password for somebody and ends every sign-in.

    Raises:
        BadInput: it could be guessed.
    """
    check_password(fresh, user.username, user.email)
    await _store_password(env, user.id, fresh, but=None)


async def change_email(env: Env, identity: Identity, password: str, email: str) -> UserRow:
    """Stores another address, not verified yet.

    Raises:
        Unauthenticated: the password is not right.
        BadInput: it cannot be an address.
    """
    plain = check_email(email)
    await require_password(env, identity, password)
    async with env.db.write() as db:
        changed = update(User).where(User.id == identity.user.id)
        await db.execute(changed.values(email=plain, email_verified=False))
        return UserRow.of(await db.get_one(User, identity.user.id))


async def delete_account(env: Env, identity: Identity, password: str) -> None:
    """Ends the account: sign-ins, tokens and names go, the row stays under a number.

    Raises:
        Unauthenticated: the password is not right.
        Conflict: others remain, and nobody of them is an administrator.
    """
    await require_password(env, identity, password)
    user_id, now = identity.user.id, env.clock.now()
    async with env.db.write(uid=EVERYONE) as db:
        await _require_another_admin(db, identity.user)
        for table in THEIRS:
            await db.execute(delete(table).where(table.user_id == user_id))
        await db.execute(update(User).where(User.id == user_id).values(_nameless(user_id, now)))


async def _store_password(env: Env, user_id: int, fresh: str, *, but: Identity | None) -> None:
    stored = await env.hasher.hash(fresh)
    async with env.db.write(uid=user_id) as db:
        await db.execute(update(User).where(User.id == user_id).values(password_hash=stored))
        await drop_sign_ins(db, user_id, env.clock.now(), but=but)


async def _require_another_admin(db: AsyncSession, user: UserRow) -> None:
    await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-first-user'))"))
    others = User.deleted_at.is_(None), User.id != user.id
    counted = select(func.count(), func.count().filter(User.role == Role.ADMIN)).where(*others)
    everybody, admins = (await db.execute(counted)).one()
    if user.role is Role.ADMIN and everybody and not admins:
        raise Conflict("You are the only administrator. Make somebody else one first.")


def _nameless(user_id: int, now: datetime) -> dict[str, object]:
    """A row that tells nothing of a person and that nobody can sign in to."""
    name = f"deleted {user_id}"  # a blank: no username that can be chosen
    gone = ("password_hash", "totp_secret", "totp_since", "totp_step", "locale", "colours", "theme")
    return {
        "username": name,
        "username_key": name,
        "email": "",
        "email_verified": False,
        "role": Role.USER,
        "deleted_at": now,
        **dict.fromkeys(gone),
    }
