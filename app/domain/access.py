"""Who may do what: roles of people, scopes of their programs, and by what means they have come."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person may do: an ADMIN also changes what everybody shares."""

    ADMIN = "ADMIN"
    USER = "USER"


class Scope(StrEnum):
    """What a token lets a program do: READ what its owner sees, TRADE in the owner's name, ADMIN.

    Every token reads. ADMIN counts only while the owner is an administrator.
    """

    READ = "READ"
    TRADE = "TRADE"
    ADMIN = "ADMIN"


class Means(StrEnum):
    """By what somebody is known: a browser's cookie, an access token, or an API token."""

    SESSION = "SESSION"
    ACCESS = "ACCESS"
    API_TOKEN = "API_TOKEN"  # noqa: S105 - a word, no token


def scopes_of(role: Role, granted: frozenset[Scope] | None = None) -> frozenset[Scope]:
    """The scopes in force: those granted (None: all), as far as the role has them, with READ."""
    own = frozenset(Scope) if role is Role.ADMIN else frozenset(Scope) - {Scope.ADMIN}
    return own if granted is None else (own & granted) | {Scope.READ}
