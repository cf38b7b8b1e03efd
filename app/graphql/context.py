"""What a resolver may use: the process's connections, who asks, in which language, and loaders."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace

import strawberry

from app.env import Env
from app.graphql.budget import Budget
from app.graphql.loaders import Loaders
from app.services.feed.live import QuoteHub
from app.services.people.identity import Identity
from app.services.people.users import UserRow
from app.services.portfolio.portfolio_books import BookShelf
from app.translations import DEFAULT_LOCALE, Locale


@dataclass(frozen=True)
class Context:
    """One operation's surroundings.

    `identity` is who has signed in. `operator` is whether the caller may change what everybody
    shares: an administrator, or, before the first account, the person at this machine. `budget` is
    what others may spend, `caller` whose share it is. `loaders` remember what they have read: each
    operation has its own. `books` are the portfolios that the process has open.
    """

    env: Env
    hub: QuoteHub
    operator: bool
    locale: Locale = DEFAULT_LOCALE
    budget: Budget | None = None
    caller: str = ""
    identity: Identity | None = None
    address: str = ""
    user_agent: str = ""
    books: BookShelf = field(default_factory=BookShelf)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "loaders", Loaders(self.env, self.hub, self.books))

    @property
    def user(self) -> UserRow | None:
        """The person who has signed in."""
        return self.identity.user if self.identity is not None else None

    def signed_in(self, identity: Identity | None) -> Context:
        """The same for somebody who is known, whose language and role then count."""
        if identity is None:
            return self
        return replace(
            self,
            identity=identity,
            operator=identity.administers,
            locale=identity.user.locale or self.locale,
            budget=None if identity.administers else self.budget,
            caller=f"user {identity.user.id}",
        )

    def renewed(self) -> Context:
        """The same for the next operation of a connection, with nothing remembered."""
        return replace(self)


Info = strawberry.Info[Context, None]


def is_operator(address: str | None, *, forwarded: bool = False) -> bool:
    """Whether a caller at that address is the person at this machine: a loopback address.

    What a proxy has `forwarded` comes from anywhere. Until there is an account that person rules; a
    request with a bad Origin never comes this far.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback and not forwarded
