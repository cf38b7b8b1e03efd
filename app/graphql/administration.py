"""The part of the schema on other people's accounts: for administrators, and the demo's start."""

from __future__ import annotations

import strawberry

from app.domain.access import Role
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.paging import Connection, clamp, make_connection
from app.graphql.permissions import require_operator
from app.graphql.user_types import User
from app.services.people import administration


@described
@strawberry.type
class NewAccount:
    """An account that was just made. `password` is shown once: it is not kept."""

    user: User
    password: str


@described
@strawberry.type
class AdministrationQuery:
    """What administrators see of accounts."""

    @strawberry.field
    async def users(
        self,
        info: Info,
        search: str | None = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> Connection[User]:
        """Every account, the oldest first; `search` is a part of the name or the address."""
        env = require_operator(info).env
        page = await administration.list_accounts(env, search, clamp(first, 50), after)
        return make_connection(page, User.of, lambda: administration.count_accounts(env, search))


@described
@strawberry.type
class AdministrationMutation:
    """What administrators do with accounts. The last administrator who can sign in stays one."""

    @strawberry.mutation
    async def change_role(self, info: Info, username: str, role: Role) -> User:
        """Makes somebody an administrator, or none any more."""
        env = require_operator(info).env
        return User.of(await administration.change_role(env, username, role))

    @strawberry.mutation
    async def deactivate_user(self, info: Info, username: str) -> User:
        """Ends every sign-in of somebody, who cannot come in any more; nothing is deleted."""
        env = require_operator(info).env
        return User.of(await administration.disable_account(env, username))

    @strawberry.mutation
    async def activate_user(self, info: Info, username: str) -> User:
        """Lets somebody in again."""
        env = require_operator(info).env
        return User.of(await administration.enable_account(env, username))

    @strawberry.mutation
    async def delete_user(self, info: Info, username: str) -> bool:
        """Ends somebody's account for good: names, sign-ins and tokens go."""
        await administration.delete_user(require_operator(info).env, username)
        return True

    @strawberry.mutation
    async def start_demo(self, info: Info) -> NewAccount:
        """Makes the account to look around with: before the first one, at this machine alone."""
        made = await administration.start_demo(require_operator(info).env)
        return NewAccount(user=User.of(made.user), password=made.password)
