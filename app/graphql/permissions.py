"""Who may ask for what.

Market data: everybody when `SISE_PUBLIC_MARKET` is on, else who has signed in. What everybody
shares is changed by administrators, with a token only if it has the scope ADMIN; until there is an
account, by the person at this machine (`context.is_operator`). What belongs to somebody is asked
for by that person, and the account itself never by an API token.
"""

from __future__ import annotations

from app.domain.access import Scope
from app.errors import Forbidden, Unauthenticated
from app.graphql.context import Context, Info
from app.services.people.identity import Identity


def may_read_market(context: Context) -> bool:
    """Whether prices and what follows from them may be read."""
    known = context.operator or context.identity is not None
    return known or context.env.settings.public_market


def require_market(info: Info) -> Context:
    """The context of a resolver that reads the market.

    Raises:
        Unauthenticated: the market is not public and nobody is signed in.
    """
    if not may_read_market(info.context):
        raise Unauthenticated("Sign in to read market data.")
    return info.context


def require_operator(info: Info) -> Context:
    """The context of a resolver that changes what everybody shares.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the caller is no administrator, or the token has not the scope ADMIN.
    """
    if info.context.operator:
        return info.context
    if info.context.identity is None:
        raise Unauthenticated("Sign in as an administrator to change this.")
    raise Forbidden("Only an administrator may change this, by a token with the scope ADMIN.")


def require_user(info: Info) -> Identity:
    """Who has signed in, by whatever means.

    Raises:
        Unauthenticated: nobody.
    """
    if info.context.identity is None:
        raise Unauthenticated("Sign in first.")
    return info.context.identity


def require_person(info: Info) -> Identity:
    """Who has signed in by password or provider: for what concerns the account itself.

    Raises:
        Unauthenticated: nobody.
        Forbidden: it is a program with an API token.
    """
    identity = require_user(info)
    if not identity.in_person:
        raise Forbidden("An API token cannot change the account. Sign in.")
    return identity


def require_trader(info: Info) -> Identity:
    """Who has signed in, for what changes a portfolio: a token needs the scope TRADE.

    Raises:
        Unauthenticated: nobody.
        Forbidden: it is a program whose token only reads.
    """
    identity = require_user(info)
    if Scope.TRADE not in identity.scopes:
        raise Forbidden("This token only reads. Make one with the scope TRADE.")
    return identity
