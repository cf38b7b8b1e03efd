"""What somebody changes about the own account: the password, and its end."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import (
    Alert,
    AlertChannel,
    AlertHours,
    AlertRule,
    ApiToken,
    Backtest,
    EmailConfirmation,
    OidcIdentity,
    PasswordReset,
    RecordPreset,
    RecoveryCode,
    SavedScreen,
    TokenFamily,
    User,
    UserSession,
    Watchlist,
)
from app.domain.access import Role
from app.domain.people import check_password
from app.env import Env
from app.errors import Conflict
from app.services.people import mails
from app.services.people.identity import Identity
from app.services.people.password_reset import drop_links, tell_change
from app.services.people.passwords import store_password
from app.services.people.sign_in import require_password
from app.services.people.users import UserRow
from app.services.trading.archiving import forget_owner
from app.translations import DEFAULT_LOCALE

THEIRS: Final = (
    UserSession,
    TokenFamily,
    ApiToken,
    RecoveryCode,
    OidcIdentity,
    PasswordReset,
    EmailConfirmation,
    Backtest,
    AlertRule,
    Alert,
    AlertHours,
    AlertChannel,
    RecordPreset,
    SavedScreen,
    Watchlist,
)
"""What goes with an account; refresh tokens go with their family."""


async def change_password(
    env: Env, identity: Identity, current: str, fresh: str, *, locale: str = DEFAULT_LOCALE
) -> None:
    """Stores a new password, ends every other sign-in and tells it to the verified address.

    Raises:
        Unauthenticated: the current one is not right.
        BadInput: the new one could be guessed.
    """
    check_password(fresh, identity.user.username, identity.user.email)
    await require_password(env, identity, current)
    stored, now = await env.hasher.hash(fresh), env.clock.now()
    async with env.db.write(uid=identity.user.id) as db:
        await store_password(db, identity.user.id, stored, now, but=identity)
        await drop_links(db, identity.user.id)
        user, mailing = identity.user, env.mailer.is_set
        posted = await tell_change(db, user, locale, now, mailing=mailing)
    await mails.send(env, posted)


async def reset_password(env: Env, user: UserRow, fresh: str) -> None:
    """Stores a new password for somebody and ends every sign-in.

    Raises:
        BadInput: it could be guessed.
    """
    check_password(fresh, user.username, user.email)
    stored = await env.hasher.hash(fresh)
    async with env.db.write(uid=user.id) as db:
        await store_password(db, user.id, stored, env.clock.now())
        await drop_links(db, user.id)


async def delete_account(env: Env, identity: Identity, password: str) -> None:
    """Ends the account: sign-ins, tokens, names and notes go; a number and the ledger stay.

    Raises:
        Unauthenticated: the password is not right.
        Conflict: others remain, and nobody of them is an administrator.
    """
    await require_password(env, identity, password)
    async with env.db.write(uid=EVERYONE) as db:
        await require_another_admin(db, identity.user, alone_may=True)
        await remove_account(env, db, identity.user.id)


async def remove_account(env: Env, db: AsyncSession, user_id: int) -> None:
    """Forgets all but a number and the ledger, in a transaction of the caller for EVERYONE."""
    for table in THEIRS:
        await db.execute(delete(table).where(table.user_id == user_id))
    await forget_owner(env, db, user_id)
    nameless = _nameless(user_id, env.clock.now())
    await db.execute(update(User).where(User.id == user_id).values(nameless))


async def require_another_admin(
    db: AsyncSession, user: User | UserRow, *, alone_may: bool = False
) -> None:
    """Returns when the person is no administrator, or another one can sign in.

    With `alone_may` also when there is nobody else at all. Roles change one at a time: the lock is
    held until the caller's transaction ends.

    Raises:
        Conflict: it is the only administrator.
    """
    await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-first-user'))"))
    others = User.deleted_at.is_(None), User.id != user.id
    admin = and_(User.role == Role.ADMIN, User.disabled_at.is_(None))
    counted = select(func.count(), func.count().filter(admin)).where(*others)
    everybody, admins = (await db.execute(counted)).one()
    if user.role == Role.ADMIN and not admins and (everybody or not alone_may):
        msg = "%(name)s is the only administrator. Make somebody else one first."
        raise Conflict(msg, name=user.username)


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
