"""Who is calling: by a browser's cookie, an access token or an API token; and whether still."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.domain.access import Means
from app.env import Env
from app.services.people import api_tokens
from app.services.people.api_tokens import find_api_token, find_api_token_by_id
from app.services.people.identity import Identity
from app.services.people.sessions import find_session, find_session_by_id
from app.services.people.token_pairs import find_access, find_family

LONGEST: Final = 4_096  # characters of a credential


async def find_by_cookie(env: Env, secret: str) -> Identity | None:
    """Whose session a cookie holds, None when nobody's."""
    return await find_session(env, secret) if 0 < len(secret) <= LONGEST else None


async def find_by_bearer(env: Env, token: str) -> Identity | None:
    """Whose token it is, None when nobody's."""
    if not 0 < len(token) <= LONGEST:
        return None
    find = find_api_token if token.startswith(api_tokens.PREFIX) else find_access
    return await find(env, token)


async def find_again(env: Env, identity: Identity) -> Identity | None:
    """The same caller as of now, None once the session or token has ended."""
    if identity.ends_at is not None and identity.ends_at <= env.clock.now():
        return None
    find = {
        Means.SESSION: find_session_by_id,
        Means.ACCESS: find_family,
        Means.API_TOKEN: find_api_token_by_id,
    }[identity.means]
    found = await find(env, identity.key)
    return None if found is None else replace(found, ends_at=identity.ends_at)
