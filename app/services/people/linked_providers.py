"""The providers that somebody has connected: by a ticket for one browser, and the password.

The ticket binds what was typed in the settings to the round trip that follows: it names the person
and the sign-in, is sealed, and is good for ten minutes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.db.engine import EVERYONE
from app.db.models import OidcIdentity
from app.env import Env
from app.errors import ConfigError, Conflict, NotFound, Unauthenticated
from app.providers import Provider
from app.services.owned import get_owned
from app.services.people.external_sign_in import Vouched
from app.services.people.identity import Identity
from app.services.people.sign_in import require_password

LIFETIME: Final = timedelta(minutes=10)
LONGEST: Final = 1_024  # characters of a ticket
MOST: Final = 100  # that are listed
_PURPOSE: Final = "link"


@dataclass(frozen=True)
class LinkedProvider:
    """One identity of a person; `key` is None once the provider is not set any more."""

    id: int
    key: str | None
    title: str
    created_at: datetime


def get_provider(env: Env, key: str) -> Provider:
    """The provider of that key.

    Raises:
        NotFound: there is none.
    """
    for provider in env.settings.providers:
        if provider.key == key:
            return provider
    raise NotFound("There is no provider %(key).40r here.", key=key)


async def begin_link(env: Env, identity: Identity, key: str, password: str) -> str:
    """Where the browser goes to connect a provider: a local address, good for ten minutes.

    Raises:
        NotFound: there is no such provider.
        Unauthenticated: the password is not right.
    """
    provider = get_provider(env, key)
    await require_password(env, identity, password)
    ends = env.clock.now() + LIFETIME
    facts = {"user": identity.user.id, "key": identity.key, "to": key, "ends": ends.timestamp()}
    ticket = base64.urlsafe_b64encode(env.vault.seal(orjson.dumps(facts), _PURPOSE)).decode()
    return f"/auth/{provider.key}?link={ticket}"


def check_ticket(env: Env, identity: Identity | None, key: str, ticket: str) -> Identity:
    """Who wants to connect that provider.

    Raises:
        Unauthenticated: the ticket is too old, or another one's.
    """
    facts = _open(env, ticket)
    if identity is not None and env.clock.now().timestamp() < float(facts.get("ends", 0)):
        wanted = {"user": identity.user.id, "key": identity.key, "to": key}
        if wanted.items() <= facts.items():
            return identity
    raise Unauthenticated("Begin again in the settings.")


async def link(env: Env, identity: Identity, vouched: Vouched) -> None:
    """Connects an identity at a provider; one that is connected stays.

    Raises:
        Conflict: it belongs to another account here.
    """
    theirs = OidcIdentity.iss == vouched.iss, OidcIdentity.sub == vouched.sub
    user_id, row = identity.user.id, {"iss": vouched.iss, "sub": vouched.sub}
    try:
        async with env.db.write(uid=EVERYONE) as db:
            owner = await db.scalar(select(OidcIdentity.user_id).where(*theirs))
            if owner is None:
                db.add(OidcIdentity(user_id=user_id, created_at=env.clock.now(), **row))
                await db.flush()
    except IntegrityError:
        owner = -1  # at the same moment, by whomever
    if owner not in {None, user_id}:
        msg = "This %(title)s account is connected to another account here."
        raise Conflict(msg, title=vouched.title)


async def list_linked(env: Env, user_id: int) -> list[LinkedProvider]:
    """What the person has connected, the oldest first."""
    query = select(OidcIdentity).where(OidcIdentity.user_id == user_id).order_by(OidcIdentity.id)
    query = query.limit(MOST)
    known = {provider.issuer.rstrip("/"): provider for provider in env.settings.providers}
    found = []
    async with env.db.read(uid=user_id) as db:
        for row in await db.scalars(query):
            provider = known.get(row.iss.rstrip("/"))
            title = row.iss if provider is None else provider.title
            key = None if provider is None else provider.key
            found.append(LinkedProvider(row.id, key, title, row.created_at))
    return found


async def unlink(env: Env, identity: Identity, linked_id: str, password: str) -> None:
    """Forgets one of the person's identities.

    Raises:
        Unauthenticated: the password is not right.
        NotFound: there is none of that id, or it is somebody else's.
        Conflict: it is the only way in.
    """
    user_id = identity.user.id
    await require_password(env, identity, password)
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, OidcIdentity, linked_id, user_id)
        mine = select(func.count()).where(OidcIdentity.user_id == user_id)
        if not identity.user.has_password and await db.scalar(mine) == 1:
            raise Conflict("It is your only way in. Choose a password first.")
        await db.delete(row)


def _open(env: Env, ticket: str) -> dict[str, Any]:
    try:
        sealed = base64.urlsafe_b64decode(ticket[:LONGEST].encode("ascii", "replace"))
        facts: dict[str, Any] = orjson.loads(env.vault.open(sealed, _PURPOSE))
    except (binascii.Error, ValueError, ConfigError):
        return {}
    return facts
