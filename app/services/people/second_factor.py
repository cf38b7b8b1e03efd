"""The second factor: codes of an authenticator, and recovery codes for when it is lost.

The secret is sealed. A code is taken once: the step of the last one is remembered by a conditional
UPDATE, so that of two uses at once one is refused. Recovery codes are 80 random
bits, stored hashed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import RecoveryCode, User
from app.domain.totp import SECRET_BYTES, enrolment_uri, find_step, show_secret
from app.env import Env
from app.errors import BadInput, Conflict

CODES: Final = 10
_PURPOSE: Final = "totp"
_WRONG: Final = "The code is not right, or it was used. Wait for the next one."


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator needs: the secret to type, or the address in a picture."""

    secret: str
    uri: str


async def begin_second_factor(env: Env, user_id: int) -> Enrolment:
    """A new secret; it counts once a code of it was given (`confirm_second_factor`).

    Raises:
        Conflict: there is a second factor already.
    """
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = env.vault.seal(secret, _PURPOSE)
    fresh = update(User).where(User.id == user_id, User.totp_since.is_(None))
    async with env.db.write() as db:
        name = await db.scalar(fresh.values(totp_secret=sealed).returning(User.username))
    if name is None:
        raise Conflict("The second factor is on already. Turn it off first.")
    return Enrolment(show_secret(secret), enrolment_uri(secret, name))


async def confirm_second_factor(env: Env, user_id: int, code: str) -> list[str]:
    """Turns the second factor on by its first code; the recovery codes, shown once.

    Raises:
        BadInput: the code is not right.
        Conflict: nothing was begun, or it is on already.
    """
    async with env.db.read() as db:
        user = await db.get_one(User, user_id)
    if user.totp_secret is None or user.totp_since is not None:
        raise Conflict("Begin with a new secret for your authenticator.")
    if not await _take_code(env, user, code):
        raise BadInput(_WRONG, field="code")
    async with env.db.write(uid=user_id) as db:
        on = update(User).where(User.id == user_id).values(totp_since=env.clock.now())
        await db.execute(on)
        return await _replace_codes(db, user_id)


async def count_recovery_codes(env: Env, user_id: int) -> int:
    """How many recovery codes were not used yet."""
    unused = RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    async with env.db.read(uid=user_id) as db:
        return await db.scalar(select(func.count()).where(*unused)) or 0


async def renew_recovery_codes(env: Env, user_id: int) -> list[str]:
    """Other recovery codes, shown once; the caller has asked for the password.

    Raises:
        Conflict: there is no second factor.
    """
    on = select(User.id).where(User.id == user_id, User.totp_since.is_not(None)).with_for_update()
    async with env.db.write(uid=user_id) as db:
        if await db.scalar(on) is None:
            raise Conflict("The second factor is off. Set it up first.")
        return await _replace_codes(db, user_id)


async def turn_off_second_factor(env: Env, user_id: int) -> None:
    """Forgets the secret and the recovery codes; the caller has asked for the password."""
    async with env.db.write(uid=user_id) as db:
        off = {"totp_secret": None, "totp_since": None, "totp_step": None}
        await db.execute(update(User).where(User.id == user_id).values(off))
        await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


async def take_second_factor(env: Env, user: User, code: str) -> bool:
    """Whether it is a code of the authenticator or a recovery code; either works once."""
    plain = code.strip().lower()
    if await _take_code(env, user, plain.replace(" ", "")):
        return True
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.sha256 == _hash(plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=env.clock.now())
        .returning(RecoveryCode.user_id)
    )
    async with env.db.write(uid=EVERYONE) as db:
        return await db.scalar(used) is not None


async def _take_code(env: Env, user: User, code: str) -> bool:
    if user.totp_secret is None or not (code.isascii() and code.isdigit()):
        return False
    secret = env.vault.open(user.totp_secret, _PURPOSE)
    step = find_step(secret, code, env.clock.now().timestamp(), user.totp_step)
    if step is None:
        return False
    unused = or_(User.totp_step.is_(None), User.totp_step < step)
    taken = update(User).where(User.id == user.id, unused).values(totp_step=step)
    async with env.db.write() as db:
        return await db.scalar(taken.returning(User.id)) is not None


async def _replace_codes(db: AsyncSession, user_id: int) -> list[str]:
    """New codes in the place of all there are, as a part of the caller's transaction."""
    codes = [_new_code() for _ in range(CODES)]
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.add_all(RecoveryCode(user_id=user_id, sha256=_hash(code)) for code in codes)
    return codes


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="replace")).digest()


def _new_code() -> str:
    text = secrets.token_hex(10)
    return "-".join(text[i : i + 5] for i in range(0, 20, 5))
