"""The part of the schema on one's own account: password, address, second factor, its end."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_person
from app.graphql.user_types import Enrolment, User
from app.services.people import (
    account,
    email_address,
    linked_providers,
    password_reset,
    second_factor,
)
from app.services.people.sign_in import require_password


@described
@strawberry.type
class LinkedProvider:
    """Another site that one has connected; `key` is null once it is not set up here any more."""

    id: strawberry.ID
    key: str | None
    title: str
    created_at: datetime

    @classmethod
    def of(cls, row: linked_providers.LinkedProvider) -> LinkedProvider:
        """From a service's row."""
        return cls(
            id=strawberry.ID(str(row.id)), key=row.key, title=row.title, created_at=row.created_at
        )


@described
@strawberry.type
class AccountQuery:
    """What somebody sees of the own account besides `me`."""

    @strawberry.field
    async def linked_providers(self, info: Info) -> list[LinkedProvider]:
        """The other sites that one can sign in by, the oldest first."""
        identity = require_person(info)
        rows = await linked_providers.list_linked(info.context.env, identity.user.id)
        return [LinkedProvider.of(row) for row in rows]


@described
@strawberry.type
class LinkMutation:
    """What is done by a link of a mail, by whoever has it."""

    @strawberry.mutation
    async def request_password_reset(self, info: Info, email: str) -> bool:
        """Has a link sent to the address, if it is somebody's verified one: the answer never tells.

        The link leads to `/reset?token=…` and works once, within an hour.
        """
        context = info.context
        await password_reset.request_reset(
            context.env, email, locale=context.locale, address=context.address
        )
        return True

    @strawberry.mutation
    async def reset_password(self, info: Info, token: str, password: str) -> bool:
        """Stores a new password by the token of such a link; every sign-in ends."""
        context = info.context
        await password_reset.reset_by_link(
            context.env, token, password, locale=context.locale, address=context.address
        )
        return True

    @strawberry.mutation
    async def confirm_email(self, info: Info, token: str) -> bool:
        """Verifies an address by the token of the link that was sent there, `/confirm?token=…`."""
        await email_address.confirm_email(info.context.env, token, address=info.context.address)
        return True


@described
@strawberry.type
class AccountMutation:
    """What somebody changes about the own account; each but the first asks for the password."""

    @strawberry.mutation
    async def begin_second_factor(self, info: Info) -> Enrolment:
        """A secret for an authenticator; it counts once `confirmSecondFactor` got its code."""
        identity = require_person(info)
        found = await second_factor.begin_second_factor(info.context.env, identity.user.id)
        return Enrolment.of(found)

    @strawberry.mutation
    async def confirm_second_factor(self, info: Info, password: str, code: str) -> list[str]:
        """Turns the second factor on; the recovery codes, shown once, each good for one sign-in."""
        identity, env = require_person(info), info.context.env
        await require_password(env, identity, password)
        return await second_factor.confirm_second_factor(env, identity.user.id, code)

    @strawberry.mutation
    async def renew_recovery_codes(self, info: Info, password: str) -> list[str]:
        """Other recovery codes, shown once; those of before let nobody in any more."""
        identity, env = require_person(info), info.context.env
        await require_password(env, identity, password)
        return await second_factor.renew_recovery_codes(env, identity.user.id)

    @strawberry.mutation
    async def turn_off_second_factor(self, info: Info, password: str) -> bool:
        """Forgets the authenticator and the recovery codes."""
        identity, env = require_person(info), info.context.env
        await require_password(env, identity, password)
        await second_factor.turn_off_second_factor(env, identity.user.id)
        return True

    @strawberry.mutation
    async def change_password(self, info: Info, current: str, password: str) -> bool:
        """Stores a new password and ends every other sign-in."""
        identity = require_person(info)
        env, locale = info.context.env, info.context.locale
        await account.change_password(env, identity, current, password, locale=locale)
        return True

    @strawberry.mutation
    async def change_email(self, info: Info, password: str, email: str) -> User:
        """Enters another address: it counts once the link that is sent there was opened.

        Where no mail is sent it is stored at once, not verified.
        """
        identity, context = require_person(info), info.context
        return User.of(
            await email_address.change_email(
                context.env, identity, password, email, locale=context.locale
            )
        )

    @strawberry.mutation
    async def send_verification(self, info: Info) -> bool:
        """Sends a link to one's address once more, to verify it."""
        identity, context = require_person(info), info.context
        await email_address.send_confirmation(context.env, identity, locale=context.locale)
        return True

    @strawberry.mutation
    async def link_provider(self, info: Info, key: str, password: str) -> str:
        """Where the browser goes to connect a provider: a local address, good for ten minutes.

        Without a password of one's own any text will do.
        """
        identity = require_person(info)
        return await linked_providers.begin_link(info.context.env, identity, key, password)

    @strawberry.mutation
    async def unlink_provider(self, info: Info, id: strawberry.ID, password: str) -> bool:  # noqa: A002
        """Forgets a provider that one has connected, by its id in `linkedProviders`."""
        identity = require_person(info)
        await linked_providers.unlink(info.context.env, identity, id, password)
        return True

    @strawberry.mutation
    async def delete_account(self, info: Info, password: str) -> bool:
        """Ends the account: names, sign-ins and tokens go for good."""
        await account.delete_account(info.context.env, require_person(info), password)
        return True
