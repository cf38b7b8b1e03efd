"""What administrators do with accounts: list them, change roles, disable, delete; and the demo.

There is always an administrator who can sign in: whoever would be the last one stays.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import User
from app.domain.access import Role
from app.domain.people import name_key
from app.env import Env
from app.errors import Conflict, NotFound
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.people.account import remove_account, require_another_admin
from app.services.people.mails import NOWHERE
from app.services.people.sessions import drop_sign_ins
from app.services.people.sign_in_options import find_options
from app.services.people.users import Applicant, UserRow, register

DEMO: Final = "demo"


@dataclass(frozen=True)
class NewAccount:
    """An account that was just made, with the password that is shown once."""

    user: UserRow
    password: str


async def list_accounts(
    env: Env, search: str | None = None, first: int = 50, after: str | None = None
) -> Page[UserRow]:
    """Accounts, the oldest first; `search` is a part of the name or address.

    Raises:
        BadInput: a page size or cursor that cannot be.
    """
    check_first(first)
    query = select(User).where(*_found(search)).order_by(User.id).limit(first + 1)
    if after is not None:
        query = query.where(User.id > read_cursor(after, int)[0])
    async with env.db.read() as db:
        rows = [UserRow.of(user) for user in await db.scalars(query)]
    return cut_page(rows, [make_cursor(row.id) for row in rows], first)


async def count_accounts(env: Env, search: str | None = None) -> int:
    """How many there are."""
    async with env.db.read() as db:
        return await db.scalar(select(func.count()).select_from(User).where(*_found(search))) or 0


async def change_role(env: Env, username: str, role: Role) -> UserRow:
    """Makes somebody an administrator, or none any more.

    Raises:
        NotFound: there is no such account.
        Conflict: it is the last administrator.
    """
    async with env.db.write(uid=EVERYONE) as db:
        user = await _hold(db, username)
        if role is not Role.ADMIN:
            await require_another_admin(db, user)
        await db.execute(update(User).where(User.id == user.id).values(role=role))
        await db.refresh(user)
        return UserRow.of(user)


async def disable_account(env: Env, username: str) -> UserRow:
    """Ends every sign-in of somebody, who cannot sign in and whose tokens do not count any more.

    Raises:
        NotFound: there is no such account.
        Conflict: it is the last administrator.
    """
    now = env.clock.now()
    async with env.db.write(uid=EVERYONE) as db:
        user = await _hold(db, username)
        await require_another_admin(db, user)
        await db.execute(update(User).where(User.id == user.id).values(disabled_at=now))
        await drop_sign_ins(db, user.id, now)
        await db.refresh(user)
        return UserRow.of(user)


async def enable_account(env: Env, username: str) -> UserRow:
    """Lets somebody sign in again.

    Raises:
        NotFound: there is no such account.
    """
    async with env.db.write(uid=EVERYONE) as db:
        user = await _hold(db, username)
        await db.execute(update(User).where(User.id == user.id).values(disabled_at=None))
        await db.refresh(user)
        return UserRow.of(user)


async def delete_user(env: Env, username: str) -> None:
    """Ends somebody's account, as its owner could.

    Raises:
        NotFound: there is no such account.
        Conflict: it is the last administrator.
    """
    async with env.db.write(uid=EVERYONE) as db:
        user = await _hold(db, username)
        await require_another_admin(db, user)
        await remove_account(env, db, user.id)


async def start_demo(env: Env) -> NewAccount:
    """The account to look around with, its administrator's, with a random password.

    Only where nobody else can come (a server on loopback) and before the first account.

    Raises:
        Conflict: other machines can reach this one, or there is an account.
    """
    if not (await find_options(env, privileged=True)).demo:
        raise Conflict(
            "An account to look around is made before any other one, and only on a server that no "
            "other machine reaches."
        )
    password = secrets.token_urlsafe(12)
    demo = Applicant(DEMO, NOWHERE, password, accepts_disclaimer=True, privileged=True)
    user = await register(env, demo)
    return NewAccount(user, password)


async def _hold(db: AsyncSession, username: str) -> User:
    """The account of that name, for as long as the transaction."""
    query = select(User).where(User.username_key == name_key(username), User.deleted_at.is_(None))
    user: User | None = await db.scalar(query.with_for_update())
    if user is None:
        raise NotFound("There is no user %(name).40r.", name=username)
    return user


def _found(search: str | None) -> tuple[ColumnElement[bool], ...]:
    everybody = User.deleted_at.is_(None)
    if not search:
        return (everybody,)
    part = search.replace("\0", "")
    named = User.username_key.contains(name_key(part), autoescape=True)
    addressed = func.lower(User.email).contains(part.lower(), autoescape=True)
    return everybody, named | addressed
