"""The address of somebody: it counts as verified once a link that was sent there was opened."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.mail import Letter
from app.db.engine import EVERYONE
from app.db.models import EmailConfirmation, User
from app.domain.people import check_email
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.people import mails
from app.services.people.identity import Identity
from app.services.people.letters import Draft, write_letter
from app.services.people.mails import Mail
from app.services.people.one_time import hash_secret, make_secret
from app.services.people.password_reset import MINUTE, TRIED, drop_links
from app.services.people.sign_in import require_password
from app.services.people.tries import limit
from app.services.people.users import UserRow
from app.translations import N_

LIFETIME: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MAILS: Final = 5  # to be confirmed by one person, in an hour


async def change_email(
    env: Env, identity: Identity, password: str, email: str, *, locale: str
) -> UserRow:
    """Has a link sent to the new address, which counts once it was opened; the old one is told.

    Without mail the new address is stored at once, not verified.

    Raises:
        Unauthenticated: the password is not right.
        BadInput: it cannot be an address.
        RateLimited: too many tries.
    """
    plain = check_email(email)
    await require_password(env, identity, password)
    user, now = identity.user, env.clock.now()
    if not env.mailer.is_set:
        values = {"email": plain, "email_verified": False}
        async with env.db.write(uid=user.id) as db:
            await drop_links(db, user.id)
            await db.execute(update(User).where(User.id == user.id).values(values))
            return UserRow.of(await db.get_one(User, user.id))
    await limit(env, f"confirm:{user.id}", MAILS, HOUR)
    unused = EmailConfirmation.user_id == user.id, EmailConfirmation.used_at.is_(None)
    async with env.db.write(uid=user.id) as db:
        await db.execute(delete(EmailConfirmation).where(*unused))
        posted = await mails.post(db, "confirm", plain, locale, now, user=user.id)
        if user.email_verified:
            facts = {"name": user.username, "new": plain}
            posted += await mails.post(db, "email-changing", user.email, locale, now, **facts)
    await mails.send(env, posted)
    return user


async def send_confirmation(env: Env, identity: Identity, *, locale: str) -> None:
    """Has a link sent to the person's address.

    Raises:
        Conflict: it is verified already, there is none, or no mail is sent here.
        RateLimited: too many.
    """
    user = identity.user
    if not env.mailer.is_set:
        raise Conflict("No mail is sent from here.")
    if user.email_verified:
        raise Conflict("The address is verified already.")
    if not user.has_email:
        raise Conflict("There is no address yet. Enter yours first.")
    await limit(env, f"confirm:{user.id}", MAILS, HOUR)
    async with env.db.write(uid=user.id) as db:
        posted = await mails.post(db, "confirm", user.email, locale, env.clock.now(), user=user.id)
    await mails.send(env, posted)


async def write_confirmation(env: Env, mail: Mail) -> Letter | None:
    """The letter with a new link, None when the person has gone or the address counts already."""
    user_id, secret, now = int(mail.facts["user"]), make_secret(), env.clock.now()
    async with env.db.write(uid=user_id) as db:
        user = await db.get(User, user_id)
        if user is None or user.deleted_at is not None:
            return None
        if user.email_verified and user.email == mail.address:
            return None
        old = EmailConfirmation.user_id == user_id, EmailConfirmation.expires_at <= now
        await db.execute(delete(EmailConfirmation).where(*old))
        row = {"email": mail.address, "created_at": now, "expires_at": now + LIFETIME}
        db.add(EmailConfirmation(user_id=user_id, sha256=hash_secret(secret), **row))
    paragraphs = (
        N_("This address was entered for the account %(name)s. Confirm that it is yours:"),
        N_("The link works once, within a day. If it was not you, do nothing."),
    )
    draft = Draft(
        N_("Confirm your address"), paragraphs, {"name": user.username}, f"/confirm?token={secret}"
    )
    return write_letter(env, mail, draft, user.locale)


async def write_changing(env: Env, mail: Mail) -> Letter:
    """The note to the old address that another one was entered."""
    paragraphs = (
        N_("Another address was entered for the account %(name)s: %(new)s."),
        N_("It counts once it was confirmed there. If it was not you, change your password now."),
    )
    draft = Draft(N_("Your address is to be changed"), paragraphs, dict(mail.facts))
    return write_letter(env, mail, draft)


async def confirm_email(env: Env, secret: str, *, address: str) -> None:
    """Makes the address that the link was sent to the person's verified one.

    Raises:
        BadInput: the link was used, is too old or none.
        Conflict: another account has verified the address.
        RateLimited: too many tries.
    """
    await limit(env, f"link:{address}", TRIED, MINUTE)
    now = env.clock.now()
    use = (
        update(EmailConfirmation)
        .where(
            EmailConfirmation.sha256 == hash_secret(secret),
            EmailConfirmation.used_at.is_(None),
            EmailConfirmation.expires_at > now,
            EmailConfirmation.user_id.in_(select(User.id).where(User.in_force())),
        )
        .values(used_at=now)
        .returning(EmailConfirmation.user_id, EmailConfirmation.email)
    )
    try:
        async with env.db.write(uid=EVERYONE) as db:
            found = (await db.execute(use)).one_or_none()
            if found is None:
                msg = "This link was used or is too old. Ask for another one."
                raise BadInput(msg, field="token")
            values = {"email": found.email, "email_verified": True}
            await db.execute(update(User).where(User.id == found.user_id).values(values))
            await drop_links(db, found.user_id)
    except IntegrityError as error:
        raise Conflict("Another account here has verified this address.") from error
