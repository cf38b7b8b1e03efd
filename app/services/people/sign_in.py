"""Signing in by password: limited, in the same time for known and unknown, with the second factor.

From one address 20 tries a minute; at one account from one address 5 in 15 minutes. An account that
is tried from many addresses answers more slowly, but is never locked: a stranger could do that.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update

from app.db.models import User
from app.domain.people import LONGEST_PASSWORD, name_key
from app.env import Env
from app.errors import ConfigError, Unauthenticated
from app.services.people.identity import Identity
from app.services.people.second_factor import take_second_factor
from app.services.people.tries import limit
from app.services.people.users import UserRow

PER_ADDRESS: Final = 20
MINUTE: Final = timedelta(minutes=1)
PER_ACCOUNT: Final = 5
QUARTER: Final = timedelta(minutes=15)
DELAYS: Final = (0.25, 0.5, 1.0, 2.0)  # seconds, after as many failures beyond the fifth
HALF: Final = timedelta(minutes=5)
"""So long after the password the code may come."""

_PURPOSE: Final = "half a sign-in"
_WRONG: Final = "The username or the password is not right."


class SecondFactorNeeded(Unauthenticated):
    """The password was right, and a code is asked for: `half` says so to `finish_sign_in`."""

    def __init__(self, message: str, *, half: str) -> None:
        super().__init__(message)
        self.half = half

    @property
    def extensions(self) -> dict[str, Any]:
        """Adds the argument that is missing or wrong."""
        return {"code": self.code, "field": "code"}


async def sign_in(
    env: Env, username: str, password: str, *, code: str | None = None, address: str = ""
) -> UserRow:
    """Who it is, when the password and, if it is on, the second factor are right.

    Raises:
        Unauthenticated: they are not; the same words for a user that there is not.
        SecondFactorNeeded: the password is right and a code is missing or wrong.
        RateLimited: too many tries.
    """
    await limit(env, f"sign-in:{address}", PER_ADDRESS, MINUTE)
    account = _account(username)
    pair = f"account:{account}:{address}"
    await limit(env, pair, PER_ACCOUNT, QUARTER)
    await _delay(env, account)
    user = await _verify(env, username, password)
    if user is None:
        await env.tally.add(f"account:{account}", QUARTER.total_seconds())
        raise Unauthenticated(_WRONG)
    if user.totp_since is not None:
        await _require_code(env, user, code, account)
    await env.tally.clear(pair)
    return UserRow.of(user)


async def begin_half(env: Env, user_id: int) -> str:
    """For who has come by another site and has a second factor: what `finish_sign_in` takes."""
    async with env.db.read() as db:
        return _seal_half(env, await db.get_one(User, user_id))


async def finish_sign_in(env: Env, half: str, code: str, *, address: str = "") -> UserRow:
    """Who it is, when the code is right that was asked for after the password.

    Raises:
        Unauthenticated: the password was given too long ago, or it has changed since.
        SecondFactorNeeded: the code is missing or wrong.
        RateLimited: too many tries.
    """
    await limit(env, f"sign-in:{address}", PER_ADDRESS, MINUTE)
    user = await _open_half(env, half)
    if user is None or user.totp_since is None:
        raise Unauthenticated("That took too long. Sign in again.")
    account = _account(user.username)
    pair = f"account:{account}:{address}"
    await limit(env, pair, PER_ACCOUNT, QUARTER)
    await _delay(env, account)
    await _require_code(env, user, code, account)
    await env.tally.clear(pair)
    return UserRow.of(user)


async def require_password(env: Env, identity: Identity, password: str) -> None:
    """Returns when the person at the keys knows the password; without one there is none to know.

    Raises:
        Unauthenticated: it is not right.
        RateLimited: too many tries.
    """
    if not identity.user.has_password:
        return
    name = f"password:{identity.user.id}"
    await limit(env, name, PER_ACCOUNT, QUARTER)
    if await _verify(env, identity.user.username, password) is None:
        raise Unauthenticated("The password is not right.")
    await env.tally.clear(name)


def _account(username: str) -> str:
    """The name that tries at an account are counted under."""
    return hashlib.sha256(name_key(username).encode(errors="replace")).hexdigest()[:32]


def _seal_half(env: Env, user: User) -> str:
    """That this person's password was given just now."""
    at = int(env.clock.now().timestamp())
    stated = f"{user.id} {at} {_mark(user)}".encode()
    return base64.urlsafe_b64encode(env.vault.seal(stated, _PURPOSE)).decode()


def _mark(user: User) -> str:
    """Changes with the password, and tells nothing of it."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()


async def _open_half(env: Env, half: str) -> User | None:
    """Whose password was given; None when that is too long ago or the password is another now."""
    try:
        sealed = base64.urlsafe_b64decode(half.encode(errors="replace"))
        user_id, at, mark = env.vault.open(sealed, _PURPOSE).decode().split()
    except (ValueError, ConfigError):  # nothing that we have made
        return None
    if env.clock.now().timestamp() - int(at) > HALF.total_seconds():
        return None
    query = select(User).where(User.id == int(user_id), User.in_force())
    async with env.db.read() as db:
        user: User | None = await db.scalar(query)
    return user if user is not None and _mark(user) == mark else None


async def _delay(env: Env, account: str) -> None:
    failures = (await env.tally.seen(f"account:{account}")).count - PER_ACCOUNT
    if failures >= 0:
        await asyncio.sleep(DELAYS[min(failures, len(DELAYS) - 1)])


async def _verify(env: Env, username: str, password: str) -> User | None:
    """The user whose password it is; what is hashed anew is stored."""
    query = select(User).where(User.username_key == name_key(username), User.in_force())
    async with env.db.read() as db:
        user: User | None = await db.scalar(query)
    stored = None if user is None else user.password_hash
    if not await env.hasher.verify(stored, password[:LONGEST_PASSWORD]):
        return None
    if user is not None and stored is not None and env.hasher.is_old(stored):
        fresh = await env.hasher.hash(password)
        async with env.db.write() as db:
            same = User.id == user.id, User.password_hash == stored
            await db.execute(update(User).where(*same).values(password_hash=fresh))
    return user


async def _require_code(env: Env, user: User, code: str | None, account: str) -> None:
    if not code:
        message = "Enter the code of your authenticator, or a recovery code."
        raise SecondFactorNeeded(message, half=_seal_half(env, user))
    if not await take_second_factor(env, user, code):
        await env.tally.add(f"account:{account}", QUARTER.total_seconds())
        message = "The code is not right, or it was used. Wait for the next one."
        raise SecondFactorNeeded(message, half=_seal_half(env, user))
