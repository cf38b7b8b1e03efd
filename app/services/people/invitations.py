"""Invitations: leave to register once, made by an administrator, shown once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Invitation
from app.env import Env
from app.errors import BadInput
from app.services.people.one_time import hash_secret

LIFETIME: Final = timedelta(days=7)


async def invite(env: Env, user_id: int) -> str:
    """A new invitation; only its hash is kept, and those that are too old are not."""
    invitation = secrets.token_urlsafe(24)
    now = env.clock.now()
    async with env.db.write() as db:
        await db.execute(delete(Invitation).where(Invitation.expires_at <= now))
        row = {"created_at": now, "expires_at": now + LIFETIME, "created_by": user_id}
        db.add(Invitation(sha256=hash_secret(invitation), **row))
    return invitation


async def take_invitation(db: AsyncSession, invitation: str | None, now: datetime) -> None:
    """Uses up an invitation, as a part of the caller's transaction.

    Raises:
        BadInput: none, unknown, used or too old.
    """
    row = (
        update(Invitation)
        .where(
            Invitation.sha256 == hash_secret(invitation or ""),
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
        )
        .values(used_at=now)
        .returning(Invitation.id)
    )
    if await db.scalar(row) is None:
        raise BadInput("One registers by invitation here, and this is none.", field="invitation")
