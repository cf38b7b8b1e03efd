"""Somebody who is known: the person, what the means allows, and the row that it hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

from app.domain.access import Means, Role, Scope
from app.services.people.users import UserRow

LONGEST_AGENT: Final = 200


@dataclass(frozen=True)
class Identity:
    """`key` is the id of the session, of the family of tokens, or of the API token.

    `ends_at` is when an access token ends; of the other means the row alone decides.
    """

    user: UserRow
    scopes: frozenset[Scope]
    means: Means
    key: int
    ends_at: datetime | None = None

    @property
    def administers(self) -> bool:
        """Whether what everybody shares may be changed."""
        return self.user.role is Role.ADMIN and Scope.ADMIN in self.scopes

    @property
    def in_browser(self) -> bool:
        """Whether it is known by a browser's cookie."""
        return self.means is Means.SESSION

    @property
    def in_person(self) -> bool:
        """Whether it has signed in by itself: API tokens change nothing about the account."""
        return self.means is not Means.API_TOKEN


@dataclass(frozen=True)
class Device:
    """What is remembered of where somebody signed in: the program's word and a short address."""

    user_agent: str
    address: str

    @classmethod
    def of(cls, user_agent: str, address: str) -> Device:
        """With the program's word cut and the address shortened to its network."""
        word = "".join(c if c.isprintable() else " " for c in user_agent)[:LONGEST_AGENT]
        return cls(word.strip(), shorten(address))


def shorten(address: str) -> str:
    """The network of an address: 24 bits of IPv4, 48 of IPv6; "" for what is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    bits = 24 if parsed.version == 4 else 48
    return str(ip_network(f"{parsed}/{bits}", strict=False))
