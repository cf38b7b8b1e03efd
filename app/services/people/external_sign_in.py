"""Who comes by another site: one identity there (iss, sub), one account here.

An account that exists is never joined by an e-mail address, verified or not: who has signed in
connects a provider, with the password. New accounts follow SISE_REGISTRATION.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import OidcIdentity, User
from app.domain.people import check_email, name_key, propose_usernames
from app.env import Env
from app.errors import BadInput, Conflict, Forbidden, Unavailable
from app.services.people.invitations import take_invitation
from app.services.people.mails import NOWHERE
from app.services.people.tries import limit
from app.services.people.users import UserRow, add_user

PER_ADDRESS: Final = 20
MINUTE: Final = timedelta(minutes=1)
NUMBERS: Final = 50  # names with a number behind, before chance has to do


@dataclass(frozen=True)
class Vouched:
    """What a provider says of somebody; `title` is the provider's name, `names` may be usernames.

    `email_verified` only if the provider says so of this address.
    """

    title: str
    iss: str
    sub: str
    email: str | None = None
    email_verified: bool = False
    names: tuple[str, ...] = ()


async def slow_down(env: Env, address: str) -> None:
    """Counts one step of a sign-in by another site.

    Raises:
        RateLimited: more than 20 a minute from there.
    """
    await limit(env, f"provider:{address}", PER_ADDRESS, MINUTE)


async def sign_in_by(env: Env, vouched: Vouched, *, invitation: str | None = None) -> UserRow:
    """The person of that identity, with a new account if there is none and one may be made.

    Raises:
        Forbidden: the account is disabled, or registration is closed.
        BadInput: registration is by invitation, and there is none.
        Conflict: an account here has verified the address.
        Unavailable: somebody else is always a little faster.
    """
    for _ in range(3):
        user = await _find(env, vouched)
        if user is not None:
            return user
        try:
            return await _register(env, vouched, invitation)
        except IntegrityError:  # the name, the address or the identity, at the same moment
            continue
        except Conflict:  # the address may be that of the account just made for this identity
            if (user := await _find(env, vouched)) is None:
                raise
            return user
    raise Unavailable("The account could not be made. Try again.")


async def _find(env: Env, vouched: Vouched) -> UserRow | None:
    theirs = OidcIdentity.iss == vouched.iss, OidcIdentity.sub == vouched.sub
    query = select(User).join(OidcIdentity, OidcIdentity.user_id == User.id).where(*theirs)
    async with env.db.read(uid=EVERYONE) as db:
        user: User | None = await db.scalar(query)
    if user is not None and user.disabled_at is not None:
        raise Forbidden("This account is disabled. Ask the administrator.")
    return None if user is None else UserRow.of(user)


async def _register(env: Env, vouched: Vouched, invitation: str | None) -> UserRow:
    policy = env.settings.registration
    if policy == "closed":
        raise Forbidden("Registration is closed here. Ask the administrator for an account.")
    now = env.clock.now()
    email = _address(vouched.email)
    verified = vouched.email_verified and email != NOWHERE
    async with env.db.write(uid=EVERYONE) as db:
        if verified:
            await _refuse_known(db, email, vouched.title)
        if policy == "invite":
            await take_invitation(db, invitation, now)
        about = {"email": email, "email_verified": verified, "created_at": now}
        user = await add_user(db, {**await _free_name(db, vouched), **about})
        row = {"iss": vouched.iss, "sub": vouched.sub, "created_at": now}
        db.add(OidcIdentity(user_id=user.id, **row))
        await db.flush()
        return UserRow.of(user)


async def _refuse_known(db: AsyncSession, email: str, title: str) -> None:
    known = func.lower(User.email) == email.lower(), User.email_verified, User.deleted_at.is_(None)
    if await db.scalar(select(User.id).where(*known)) is not None:
        raise Conflict(
            "There is an account here with the address that %(title)s gives. Sign in to it and "
            "connect %(title)s in the settings.",
            title=title,
        )


async def _free_name(db: AsyncSession, vouched: Vouched) -> Mapping[str, Any]:
    """A username that is not taken, as it is shown and as it is compared."""
    hints = (*vouched.names, vouched.email or "")
    proposed = propose_usernames(hints)
    names = [*proposed, *(f"{proposed[0]}{n}" for n in range(2, NUMBERS))]
    keys = {name: name_key(name) for name in names}
    query = select(User.username_key).where(User.username_key.in_(keys.values()))
    taken = set(await db.scalars(query))
    free = next((name for name in names if keys[name] not in taken), None)
    name = free or f"{proposed[0]}{10_000 + secrets.randbelow(90_000)}"
    return {"username": name, "username_key": name_key(name)}


def _address(email: str | None) -> str:
    """The address if it is one."""
    try:
        return check_email(email or "")
    except BadInput:
        return NOWHERE
