"""Who may ask for what, before there are accounts.

Market data: everybody when `SISE_PUBLIC_MARKET` is on, else the operator alone. Changes: the
operator. The operator is whoever calls from this machine (`context.is_operator`).
"""

from __future__ import annotations

from app.errors import Unauthenticated
from app.graphql.context import Context, Info


def may_read_market(context: Context) -> bool:
    """Whether prices and what follows from them may be read."""
    return context.operator or context.env.settings.public_market


def require_market(info: Info) -> Context:
    """The context of a resolver that reads the market.

    Raises:
        Unauthenticated: the market is not public and nobody is signed in.
    """
    if not may_read_market(info.context):
        raise Unauthenticated("Sign in to read market data.")
    return info.context


def require_operator(info: Info) -> Context:
    """The context of a resolver that changes something.

    Raises:
        Unauthenticated: the caller is not at this machine.
    """
    if not info.context.operator:
        raise Unauthenticated("Only the person at this machine may change anything.")
    return info.context
