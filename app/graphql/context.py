"""What a resolver may use: the process's connections, who asks, in which language, and loaders."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace

import strawberry

from app.env import Env
from app.graphql.budget import Budget
from app.graphql.loaders import Loaders
from app.services.live import QuoteHub
from app.translations import DEFAULT_LOCALE, Locale


@dataclass(frozen=True)
class Context:
    """One operation's surroundings.

    `operator` is whether the caller may change anything: the person at this machine. `budget` is
    what strangers may spend, `caller` whose share it is. `loaders` remember what they have read:
    each operation has its own.
    """

    env: Env
    hub: QuoteHub
    operator: bool
    locale: Locale = DEFAULT_LOCALE
    budget: Budget | None = None
    caller: str = ""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "loaders", Loaders(self.env, self.hub))

    def renewed(self) -> Context:
        """The same for the next operation of a connection, with nothing remembered."""
        return replace(self)


Info = strawberry.Info[Context, None]


def is_operator(address: str | None, *, forwarded: bool = False) -> bool:
    """Whether a caller at that address is the person at this machine: a loopback address.

    What a proxy has `forwarded` comes from anywhere. Before accounts exist nobody else may write;
    a request with a bad Origin never comes this far.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback and not forwarded
