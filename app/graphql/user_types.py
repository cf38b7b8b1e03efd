"""People, their sign-ins and their tokens as the schema has them."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from app.domain.access import Role, Scope
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import Colours, Locale, RegistrationPolicy, SignInKind, Theme
from app.graphql.types import FromRow
from app.services.alerts.alerts import count_alerts
from app.services.people.api_tokens import ApiTokenRow
from app.services.people.second_factor import count_recovery_codes
from app.services.people.sessions import SignIn
from app.services.people.sign_in_options import SignInOptions as OptionsRow
from app.services.people.users import UserRow


@described
@strawberry.type
class User:
    """A person with an account. Settings that are null follow the reader's browser."""

    username: str
    email: str
    has_email: bool = strawberry.field(
        description="Whether there is an address; `email` goes nowhere if there is none."
    )
    email_verified: bool
    role: Role
    locale: Locale | None
    colours: Colours | None
    theme: Theme | None
    base_currency: str
    time_zone: str
    privacy: bool = strawberry.field(description="Whether amounts are hidden at first.")
    has_password: bool
    second_factor: bool = strawberry.field(description="Whether signing in asks for a code.")
    disclaimer_at: datetime | None
    disabled_at: datetime | None = strawberry.field(
        description="Since when the account cannot be signed in to; null when it can."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: UserRow) -> User:
        """From a service's row."""
        return cls(
            username=row.username,
            email=row.email,
            has_email=row.has_email,
            email_verified=row.email_verified,
            role=row.role,
            locale=Locale(row.locale.upper()) if row.locale else None,
            colours=Colours(row.colours.upper()) if row.colours else None,
            theme=Theme(row.theme.upper()) if row.theme else None,
            base_currency=row.base_currency,
            time_zone=row.time_zone,
            privacy=row.privacy,
            has_password=row.has_password,
            second_factor=row.second_factor,
            disclaimer_at=row.disclaimer_at,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
        )

    @strawberry.field
    async def unread_alerts(self, info: Info) -> int:
        """How many alerts one has not acknowledged; of others it is not told."""
        me = info.context.user
        if me is None or me.username != self.username:
            return 0
        return await count_alerts(info.context.env, me.id, unread=True)

    @strawberry.field
    async def recovery_codes_left(self, info: Info) -> int:
        """How many recovery codes of one's own were not used; of others it is not told."""
        me = info.context.user
        if me is None or me.username != self.username:
            return 0
        return await count_recovery_codes(info.context.env, me.id)


@described
@strawberry.type
class SignInProvider(FromRow):
    """Another site that one can sign in by; `key` stands in the address of the sign-in."""

    key: str
    title: str


@described
@strawberry.type
class SignInOptions:
    """By what one can come in here, and from where one asks."""

    registration: RegistrationPolicy
    mail: bool = strawberry.field(description="Whether a forgotten password can be reset by mail.")
    providers: list[SignInProvider]
    first_run: bool = strawberry.field(description="Whether there never was an account.")
    demo: bool = strawberry.field(description="Whether an account to look around can be made.")

    @classmethod
    def of(cls, row: OptionsRow) -> SignInOptions:
        """From a service's row."""
        return cls(
            registration=RegistrationPolicy(row.registration.upper()),
            mail=row.mail,
            providers=[SignInProvider.of(provider) for provider in row.providers],
            first_run=row.first_run,
            demo=row.demo,
        )


@described
@strawberry.type
class TokenPair(FromRow):
    """What a program signs in to: send `accessToken` as `Authorization: Bearer`.

    It lives `expiresIn` seconds; `refresh` gives the next pair for `refreshToken`, which is used
    once: a second use ends the whole sign-in.
    """

    access_token: str
    refresh_token: str
    expires_in: int


@described
@strawberry.type
class UserSession:
    """A place where somebody is signed in; `current` is the one that asks."""

    id: strawberry.ID
    kind: SignInKind
    created_at: datetime
    seen_at: datetime
    user_agent: str
    address: str = strawberry.field(description="The network it came from, shortened.")
    current: bool

    @classmethod
    def of(cls, row: SignIn) -> UserSession:
        """From a service's row."""
        return cls(
            id=strawberry.ID(row.id),
            kind=SignInKind(row.kind),
            created_at=row.created_at,
            seen_at=row.seen_at,
            user_agent=row.user_agent,
            address=row.address,
            current=row.current,
        )


@described
@strawberry.type
class ApiToken:
    """A personal token of a program, without its text. Every token reads."""

    id: strawberry.ID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_on: date | None = strawberry.field(description="The last day that it works, in UTC.")
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiTokenRow) -> ApiToken:
        """From a service's row."""
        return cls(
            id=strawberry.ID(str(row.id)),
            name=row.name,
            scopes=list(row.scopes),
            created_at=row.created_at,
            expires_on=row.expires_on,
            last_used_at=row.last_used_at,
        )


@described
@strawberry.type
class NewApiToken:
    """A token that was just made. `text` is shown once: it is not kept."""

    token: ApiToken
    text: str


@described
@strawberry.type
class Enrolment(FromRow):
    """What an authenticator needs: the secret to type, or the address to read from a picture."""

    secret: str
    uri: str


@strawberry.input(description="Settings to change; what is left out stays.")
class SettingsInput:
    """Settings to change; null of the first three follows the reader's browser again."""

    locale: Locale | None = strawberry.UNSET
    colours: Colours | None = strawberry.UNSET
    theme: Theme | None = strawberry.UNSET
    base_currency: str | None = strawberry.UNSET
    time_zone: str | None = strawberry.UNSET
    privacy: bool | None = strawberry.UNSET
