"""People: registering, finding, their settings. The first of an installation is its administrator.

Usernames are chosen in the open, so a taken one is told; whether an address is known never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import User
from app.domain.access import Role
from app.domain.people import check_email, check_password, check_username, name_key
from app.env import Env
from app.errors import BadInput, Conflict, Forbidden, NotFound, argument
from app.services.people import mails
from app.services.people.invitations import take_invitation
from app.services.people.tries import limit
from app.translations import DEFAULT_LOCALE, LOCALES, Locale

REGISTRATIONS: Final = 10  # from one address in an hour
HOUR: Final = timedelta(hours=1)
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "locale": LOCALES,
    "colours": ("kr", "us"),
    "theme": ("dark", "light", "auto"),
    "base_currency": ("KRW", "USD"),
}
FOLLOWING: Final = frozenset({"locale", "colours", "theme"})
"""Settings that may be None: then the reader's browser decides."""


@dataclass(frozen=True)
class UserRow:
    """A person as the layers above see one. `second_factor`: whether a code is asked for."""

    id: int
    username: str
    email: str
    email_verified: bool
    role: Role
    locale: Locale | None
    colours: str | None
    theme: str | None
    base_currency: str
    time_zone: str
    privacy: bool
    has_password: bool
    second_factor: bool
    disclaimer_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime

    @property
    def has_email(self) -> bool:
        """Whether there is an address: the demo has none, nor who was added without one."""
        return not mails.is_nowhere(self.email)

    @classmethod
    def of(cls, user: User) -> UserRow:
        """From the table."""
        same = ("id", "username", "email", "email_verified", "locale", "colours", "theme")
        more = (
            "base_currency",
            "time_zone",
            "privacy",
            "disclaimer_at",
            "created_at",
            "disabled_at",
        )
        return cls(
            **{name: getattr(user, name) for name in (*same, *more)},
            role=Role(user.role),
            has_password=user.password_hash is not None,
            second_factor=user.totp_since is not None,
        )


@dataclass(frozen=True)
class Applicant:
    """Who wants to register, and from where. `privileged`: at this machine, or an administrator."""

    username: str
    email: str
    password: str
    address: str = ""
    invitation: str | None = None
    accepts_disclaimer: bool = False
    locale: str = DEFAULT_LOCALE
    privileged: bool = False


async def register(env: Env, applicant: Applicant, role: Role | None = None) -> UserRow:
    """Adds a person; without a `role` the first one becomes ADMIN and others USER.

    Raises:
        BadInput: a name, address, password or invitation that cannot be.
        Conflict: the username is taken.
        Forbidden: registration is closed.
        RateLimited: too many from this address.
    """
    policy = "open" if applicant.privileged else env.settings.registration
    if policy == "closed":
        raise Forbidden("Registration is closed here. Ask the administrator for an account.")
    shown, key = check_username(applicant.username)
    email = check_email(applicant.email)
    check_password(applicant.password, shown, email)
    if not applicant.privileged:
        await limit(env, f"register:{applicant.address}", REGISTRATIONS, HOUR)
    stored = await env.hasher.hash(applicant.password)
    now = env.clock.now()
    values: dict[str, Any] = {
        "username": shown,
        "username_key": key,
        "email": email,
        "password_hash": stored,
        "created_at": now,
        "disclaimer_at": now if applicant.accepts_disclaimer else None,
    }
    try:
        async with env.db.write() as db:
            if policy == "invite":
                await take_invitation(db, applicant.invitation, now)
            user = await add_user(db, values, role)
            posted = await _ask_to_confirm(env, db, user, applicant.locale)
    except IntegrityError as error:
        raise Conflict("The username %(name)s is taken.", name=shown) from error
    await mails.send(env, posted)
    return UserRow.of(user)


async def has_users(env: Env) -> bool:
    """Whether there is or ever was a person: without one the caller at this machine rules."""
    async with env.db.read() as db:
        return await db.scalar(select(User.id).limit(1)) is not None


async def find_user(env: Env, user_id: int) -> UserRow | None:
    """The person of that id, None for none and for a deleted one."""
    async with env.db.read() as db:
        user = await db.scalar(select(User).where(User.id == user_id, User.in_force()))
    return None if user is None else UserRow.of(user)


async def get_by_name(env: Env, username: str) -> UserRow:
    """The person of that name.

    Raises:
        NotFound: there is none.
    """
    query = select(User).where(User.username_key == name_key(username), User.deleted_at.is_(None))
    async with env.db.read() as db:
        user = await db.scalar(query)
    if user is None:
        raise NotFound("There is no user %(name).40r.", name=username)
    return UserRow.of(user)


async def list_users(env: Env) -> list[UserRow]:
    """Everybody, the oldest account first."""
    query = select(User).where(User.deleted_at.is_(None)).order_by(User.id)
    async with env.db.read() as db:
        return [UserRow.of(user) for user in await db.scalars(query)]


async def update_settings(env: Env, user_id: int, changes: Mapping[str, Any]) -> UserRow:
    """Writes some of locale, colours, theme, base_currency, time_zone, privacy.

    Raises:
        BadInput: a value that is no choice.
    """
    checked = {name: _check_setting(name, value) for name, value in changes.items()}
    async with env.db.write() as db:
        if checked:
            await db.execute(update(User).where(User.id == user_id).values(checked))
        user = await db.get_one(User, user_id)
    return UserRow.of(user)


async def accept_disclaimer(env: Env, user_id: int) -> UserRow:
    """Notes that the person has accepted it now."""
    async with env.db.write() as db:
        now = env.clock.now()
        await db.execute(update(User).where(User.id == user_id).values(disclaimer_at=now))
        user = await db.get_one(User, user_id)
    return UserRow.of(user)


async def _ask_to_confirm(env: Env, db: AsyncSession, user: User, locale: str) -> list[int]:
    """Posts the mail that asks whether the address is right, where mail is sent."""
    if not env.mailer.is_set:
        return []
    return await mails.post(db, "confirm", user.email, locale, env.clock.now(), user=user.id)


async def add_user(db: AsyncSession, values: Mapping[str, Any], role: Role | None = None) -> User:
    """Adds a person in the caller's transaction; without a `role` the first one is ADMIN.

    Raises:
        IntegrityError: the username is taken, or the address is another one's verified one.
    """
    await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('sise-first-user'))"))
    first = await db.scalar(select(User.id).limit(1)) is None
    user = User(**values, role=role or (Role.ADMIN if first else Role.USER))
    db.add(user)
    await db.flush()
    await db.refresh(user)
    return user


def _check_setting(name: str, value: Any) -> Any:
    choices = CHOICES.get(name)
    follows = value is None and name in FOLLOWING
    if choices is not None and value not in choices and not follows:
        raise BadInput(
            "%(name)s is %(value)r; it must be one of %(choices)s",
            field=argument(name),
            name=argument(name),
            value=str(value)[:40],
            choices=", ".join(choices),
        )
    return _check_zone(cast("str", value)) if name == "time_zone" else value


def _check_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "The time zone is %(value).40r; it must be one such as Asia/Seoul"
        raise BadInput(msg, field="timeZone", value=name) from None
