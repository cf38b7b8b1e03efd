"""The part of the schema on people: signing in, the own account, sign-ins and tokens."""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from typing import Any

import strawberry

from app.domain.access import Scope
from app.errors import BadInput, argument
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_operator, require_person, require_user
from app.graphql.user_types import (
    ApiToken,
    NewApiToken,
    SettingsInput,
    SignInOptions,
    TokenPair,
    User,
    UserSession,
)
from app.services.people import api_tokens, sessions, token_pairs, users
from app.services.people.account_export import export_account
from app.services.people.identity import Device
from app.services.people.invitations import invite
from app.services.people.sign_in import sign_in
from app.services.people.sign_in_options import find_options
from app.services.people.users import FOLLOWING, Applicant


@described
@strawberry.type
class UserQuery:
    """What somebody sees of the own account."""

    @strawberry.field
    async def me(self, info: Info) -> User | None:
        """Who has signed in; null when nobody has."""
        user = info.context.user
        return None if user is None else User.of(user)

    @strawberry.field
    async def sign_in_options(self, info: Info) -> SignInOptions:
        """By what one can come in here."""
        context = info.context
        return SignInOptions.of(await find_options(context.env, privileged=context.operator))

    @strawberry.field
    async def sessions(self, info: Info) -> list[UserSession]:
        """Where one is signed in, the latest visit first."""
        rows = await sessions.list_sign_ins(info.context.env, require_person(info))
        return [UserSession.of(row) for row in rows]

    @strawberry.field
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        """One's own API tokens, the newest first."""
        identity = require_person(info)
        rows = await api_tokens.list_api_tokens(info.context.env, identity.user.id)
        return [ApiToken.of(row) for row in rows]

    @strawberry.field
    async def export_account(self, info: Info) -> str:
        """All that is stored about one: a zip with JSON and CSV of each table, as Base64."""
        identity = require_person(info)
        return b64encode(await export_account(info.context.env, identity.user.id)).decode()


@described
@strawberry.type
class SignInMutation:
    """Coming in and going out."""

    @strawberry.mutation
    async def register(  # noqa: PLR0913, PLR0917 - the arguments of the schema
        self,
        info: Info,
        username: str,
        email: str,
        password: str,
        invitation: str | None = None,
        accept_disclaimer: bool | None = False,  # noqa: FBT001, FBT002 - an argument of the schema
    ) -> User:
        """Makes an account. The first of an installation is its administrator's."""
        context = info.context
        applicant = Applicant(
            username,
            email,
            password,
            address=context.address,
            invitation=invitation,
            accepts_disclaimer=bool(accept_disclaimer),
            locale=context.locale,
            privileged=context.operator,
        )
        return User.of(await users.register(context.env, applicant))

    @strawberry.mutation
    async def sign_in(
        self, info: Info, username: str, password: str, code: str | None = None
    ) -> TokenPair:
        """Signs a program in; `code` is the authenticator's, where the second factor is on."""
        context = info.context
        user = await sign_in(context.env, username, password, code=code, address=context.address)
        device = Device.of(context.user_agent, context.address)
        return TokenPair.of(await token_pairs.open_family(context.env, user.id, device))

    @strawberry.mutation
    async def refresh(self, info: Info, refresh_token: str) -> TokenPair:
        """The next pair of tokens; the token is used up."""
        return TokenPair.of(await token_pairs.refresh_pair(info.context.env, refresh_token))

    @strawberry.mutation
    async def sign_out(self, info: Info, everywhere: bool | None = False) -> bool:  # noqa: FBT001, FBT002 - an argument of the schema
        """Ends this sign-in, or all of one's own; API tokens stay."""
        identity, env = require_person(info), info.context.env
        if everywhere:
            await sessions.end_all(env, identity.user.id)
        else:
            await sessions.end_this(env, identity)
        return True

    @strawberry.mutation
    async def end_session(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Ends one of one's own sign-ins, by its id in `sessions`."""
        identity = require_person(info)
        await sessions.end_sign_in(info.context.env, identity.user.id, id)
        return True


@described
@strawberry.type
class TokenMutation:
    """Tokens, settings and invitations."""

    @strawberry.mutation
    async def create_api_token(
        self, info: Info, name: str, scopes: list[Scope], expires_on: date | None = None
    ) -> NewApiToken:
        """Makes a token for a program; its text is shown once."""
        identity = require_person(info)
        row, text = await api_tokens.create_api_token(
            info.context.env, identity.user, name, frozenset(scopes), expires_on
        )
        return NewApiToken(token=ApiToken.of(row), text=text)

    @strawberry.mutation
    async def revoke_api_token(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Ends one of one's own tokens; its next request is refused."""
        identity = require_person(info)
        await api_tokens.revoke_api_token(info.context.env, identity.user.id, id)
        return True

    @strawberry.mutation
    async def update_settings(self, info: Info, input: SettingsInput) -> User:  # noqa: A002
        """Changes one's settings; they count wherever one is signed in."""
        identity = require_person(info)
        changes = _read_settings(input)
        return User.of(await users.update_settings(info.context.env, identity.user.id, changes))

    @strawberry.mutation
    async def accept_disclaimer(self, info: Info) -> User:
        """Notes that one has read that nothing here is investment advice."""
        identity = require_user(info)
        return User.of(await users.accept_disclaimer(info.context.env, identity.user.id))

    @strawberry.mutation
    async def invite(self, info: Info) -> str:
        """An invitation for one person, good for a week; shown once."""
        context = require_operator(info)
        return await invite(context.env, require_person(info).user.id)


def _read_settings(given: SettingsInput) -> dict[str, Any]:
    """The settings that were given, as they are stored."""
    changes: dict[str, Any] = {}
    for name, value in vars(given).items():
        if value is strawberry.UNSET:
            continue
        if value is None and name not in FOLLOWING:
            field = argument(name)
            raise BadInput("%(name)s cannot be null", field=field, name=field)
        changes[name] = value.lower() if name in FOLLOWING and value is not None else value
    return changes
