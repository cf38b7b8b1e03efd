"""Storing a password: every sign-in but one ends with the old one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import User
from app.services.people.identity import Identity
from app.services.people.sessions import drop_sign_ins


async def store_password(
    db: AsyncSession, user_id: int, stored: str, now: datetime, *, but: Identity | None = None
) -> None:
    """Writes the hash and ends the sign-ins, as a part of the caller's transaction."""
    await db.execute(update(User).where(User.id == user_id).values(password_hash=stored))
    await drop_sign_ins(db, user_id, now, but=but)
