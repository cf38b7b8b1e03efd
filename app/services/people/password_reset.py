"""A forgotten password: a link to the verified address, good once and for an hour.

Asking takes the same way for every address: it is counted and written down. A worker looks up whose
it is, so neither the answer nor its time tells whether somebody has it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.mail import Letter
from app.db.engine import EVERYONE
from app.db.models import PasswordReset, User
from app.domain.people import check_email, check_password
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.people import mails
from app.services.people.letters import Draft, write_letter
from app.services.people.mails import Mail
from app.services.people.one_time import hash_secret, make_secret
from app.services.people.passwords import store_password
from app.services.people.tries import limit
from app.services.people.users import UserRow
from app.translations import N_

LIFETIME: Final = timedelta(hours=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
ASKED: Final = 10  # from one address of the network, in an hour
MAILS: Final = 3  # to one address of mail, in an hour: beyond it the answer is the same
TRIED: Final = 20  # links from one address of the network, in a minute


async def request_reset(env: Env, email: str, *, locale: str, address: str) -> None:
    """Has a link sent if the address is somebody's; the caller learns nothing of that.

    Raises:
        BadInput: it cannot be an address.
        Conflict: no mail is sent here.
        RateLimited: too many from there.
    """
    if not env.mailer.is_set:
        raise Conflict("No mail is sent from here. Ask the administrator for a new password.")
    plain = check_email(email)
    await limit(env, f"reset:{address}", ASKED, HOUR)
    name = hashlib.sha256(plain.casefold().encode()).hexdigest()[:32]
    tries = await env.tally.add(f"reset-mail:{name}", HOUR.total_seconds())
    if tries.count > MAILS:
        return
    async with env.db.write() as db:
        posted = await mails.post(db, "reset", plain, locale, env.clock.now())
    await mails.send(env, posted)


async def write_reset(env: Env, mail: Mail) -> Letter | None:
    """The letter with a new link, None when the address is nobody's verified one."""
    whose = (
        func.lower(User.email) == mail.address.lower(),
        User.email_verified,
        User.in_force(),
    )
    async with env.db.write(uid=EVERYONE) as db:
        user: User | None = await db.scalar(select(User).where(*whose))
        if user is None:
            return None
        path = await _open_link(db, user.id, env.clock.now())
    paragraphs = (
        N_("Somebody, probably you, asked for a new password of %(name)s. Choose it here:"),
        N_("The link works once, within an hour. All sign-ins end then."),
        N_("If it was not you, do nothing: the password stays as it is."),
    )
    draft = Draft(N_("Choose a new password"), paragraphs, {"name": user.username}, path)
    return write_letter(env, mail, draft, user.locale)


async def make_link(env: Env, user: UserRow) -> str:
    """A link by which the person chooses a new password, for the operator to hand over."""
    async with env.db.write(uid=user.id) as db:
        path = await _open_link(db, user.id, env.clock.now())
    return f"{env.settings.site}{path}"


async def reset_by_link(env: Env, secret: str, fresh: str, *, locale: str, address: str) -> None:
    """Stores a new password for whom the link was sent to, and ends every sign-in.

    Raises:
        BadInput: the link was used, is too old or none; the password could be guessed.
        RateLimited: too many tries.
    """
    await limit(env, f"link:{address}", TRIED, MINUTE)
    now = env.clock.now()
    open_ = (
        PasswordReset.sha256 == hash_secret(secret),
        PasswordReset.used_at.is_(None),
        PasswordReset.expires_at > now,
    )
    whose = select(User).join(PasswordReset, PasswordReset.user_id == User.id)
    async with env.db.read(uid=EVERYONE) as db:
        user: User | None = await db.scalar(whose.where(*open_, User.in_force()))
    if user is None:
        raise _spent()
    check_password(fresh, user.username, user.email)
    stored = await env.hasher.hash(fresh)
    use = update(PasswordReset).where(*open_).values(used_at=now).returning(PasswordReset.id)
    async with env.db.write(uid=user.id) as db:
        if await db.scalar(use) is None:
            raise _spent()
        await store_password(db, user.id, stored, now)
        await drop_links(db, user.id)
        posted = await tell_change(db, user, locale, now, mailing=env.mailer.is_set)
    await mails.send(env, posted)


async def drop_links(db: AsyncSession, user_id: int) -> None:
    """Ends the links that were sent to the person, as a part of the caller's transaction."""
    unused = PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None)
    await db.execute(delete(PasswordReset).where(*unused))


async def tell_change(
    db: AsyncSession, user: User | UserRow, locale: str, now: datetime, *, mailing: bool
) -> list[int]:
    """Posts the note that the password was changed, if there is an address for it."""
    if not mailing or not user.email_verified:
        return []
    return await mails.post(db, "password-changed", user.email, locale, now, name=user.username)


async def write_changed(env: Env, mail: Mail) -> Letter:
    """The note that a password was changed."""
    paragraphs = (
        N_("The password of %(name)s was changed, and every other sign-in has ended."),
        N_("If it was not you, ask for a new password at once, or tell your administrator."),
    )
    draft = Draft(N_("Your password was changed"), paragraphs, dict(mail.facts))
    return write_letter(env, mail, draft)


async def _open_link(db: AsyncSession, user_id: int, now: datetime) -> str:
    """Where a new link leads, as a part of the caller's transaction; too old ones are forgotten."""
    secret, old = make_secret(), PasswordReset.expires_at <= now
    await db.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id, old))
    row = {"created_at": now, "expires_at": now + LIFETIME}
    db.add(PasswordReset(user_id=user_id, sha256=hash_secret(secret), **row))
    return f"/reset?token={secret}"


def _spent() -> BadInput:
    return BadInput("This link was used or is too old. Ask for another one.", field="token")
