"""People for tests: the cast, with passwords, signed in by every means."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from sqlalchemy import insert

from app.db.models import User
from app.domain.access import Role, Scope
from app.domain.people import name_key
from app.env import Env
from app.services.people.api_tokens import create_api_token, find_api_token
from app.services.people.authentication import find_by_bearer
from app.services.people.identity import Device, Identity
from app.services.people.sessions import find_session, open_session
from app.services.people.token_pairs import open_family
from app.services.people.users import UserRow, find_user

PASSWORD = "correct horse battery"
DEVICE = Device("Firefox on Linux", "192.0.2.0/24")


@cache
def stored_password() -> str:
    """`PASSWORD` as it is stored, hashed once for all tests."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)


async def make_user(
    env: Env, name: str = "alice", role: Role = Role.USER, *, accepts: bool = True
) -> UserRow:
    """A person, without the time that hashing takes; `accepts`: the disclaimer."""
    values = {
        "username": name,
        "username_key": name_key(name),
        "email": f"{name}@example.com",
        "password_hash": stored_password(),
        "role": role,
        "created_at": env.clock.now(),
        "disclaimer_at": env.clock.now() if accepts else None,
    }
    async with env.db.write() as db:
        user_id = await db.scalar(insert(User).values(values).returning(User.id))
    user = await find_user(env, user_id)
    assert user is not None
    return user


async def by_session(env: Env, user: UserRow) -> Identity:
    """The person in a browser."""
    found = await find_session(env, await open_session(env, user.id, DEVICE))
    assert found is not None
    return found


async def by_access_token(env: Env, user: UserRow) -> Identity:
    """The person's program, signed in by password."""
    pair = await open_family(env, user.id, DEVICE)
    found = await find_by_bearer(env, pair.access_token)
    assert found is not None
    return found


async def by_api_token(env: Env, user: UserRow, *scopes: Scope) -> Identity:
    """The person's program with an API token."""
    _, token = await create_api_token(env, user, "bot", frozenset(scopes or [Scope.READ]), None)
    found = await find_api_token(env, token)
    assert found is not None
    return found
