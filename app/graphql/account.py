"""The part of the schema on one's own account: password, address, second factor, its end."""

from __future__ import annotations

import strawberry

from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_person
from app.graphql.user_types import Enrolment, User
from app.services import account, second_factor
from app.services.sign_in import require_password


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
        await account.change_password(info.context.env, identity, current, password)
        return True

    @strawberry.mutation
    async def change_email(self, info: Info, password: str, email: str) -> User:
        """Stores another address; it is not verified yet."""
        identity = require_person(info)
        changed = await account.change_email(info.context.env, identity, password, email)
        return User.of(changed)

    @strawberry.mutation
    async def delete_account(self, info: Info, password: str) -> bool:
        """Ends the account: names, sign-ins and tokens go for good."""
        await account.delete_account(info.context.env, require_person(info), password)
        return True
