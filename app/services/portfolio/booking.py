"""Booking: items into the ledger by one call of the database, all of them or none.

An item is an entry, a reservation, or the reversal of either. Each has a key: the same key with the
same request answers what was stored then, with another one it is a conflict. The database decides
what is covered; nothing is read before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import TextClause, text

from app.domain.market import present_days
from app.domain.money import round_money
from app.domain.postings import MovementKind, Posting, make_postings, may_draw, reserve
from app.domain.transactions import Entry
from app.env import Env
from app.errors import AppError, BadInput, Conflict
from app.services.owned import missing
from app.services.portfolio.entries import hash_request, write_entry

LONGEST_KEY: Final = 255
OWN_KEY: Final = ":"
"""How the keys begin that the product gives itself."""

OPEN_END: Final = date(9999, 12, 31)
"""When a reservation would settle: after everything else."""

_SIGNS: Final = {"KRW": "\u20a9", "USD": "$"}

_POST: Final = text(
    "SELECT post_entries(:portfolio, :user_id, :at, CAST(:today AS jsonb), CAST(:items AS jsonb))"
)


class Caller(Protocol):
    """What runs one statement: `Database.call`, or `AsyncSession.scalar` within a transaction."""

    async def __call__(self, statement: TextClause, values: Mapping[str, Any], /) -> Any:
        """The statement's scalar."""


@dataclass(frozen=True)
class When:
    """The instant, and the present day of each currency (another one where history is replayed)."""

    at: datetime
    today: Mapping[str, date]


@dataclass(frozen=True)
class Posted:
    """The ids of the stored transactions in order; `fresh` of them are new, others replays."""

    ids: tuple[int, ...]
    fresh: int


def now_of(env: Env, today: Mapping[str, date] | None = None) -> When:
    """Now, by the clock of the process; `today` where a portfolio lives in other days."""
    at = env.clock.now()
    return When(at, today or present_days(at))


def check_key(key: str) -> str:
    """A key of a client.

    Raises:
        BadInput: it is empty, too long or cannot be stored.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable() or key.startswith(OWN_KEY):
        message = (
            "key is %(value).40r; it may have 1 to %(bound)d printable characters, no colon first"
        )
        raise BadInput(message, field="key", value=key, bound=LONGEST_KEY)
    return key


def entry_item(portfolio_id: int, key: str, entry: Entry, when: When) -> dict[str, Any]:
    """The item that stores an entry; what has settled by today goes to cash at once."""
    settled = entry.currency is not None and entry.settles_on <= when.today[entry.currency]
    item = {
        "key": key,
        "hash": hash_request(portfolio_id, entry),
        "entry": write_entry(entry),
        "lines": _lines(make_postings(entry, settled=settled)),
        "draws": may_draw(entry.kind, entry.action),
    }
    noted = {"note": entry.note, "tags": list(entry.tags)} if entry.note or entry.tags else {}
    return item | noted


def reservation_item(
    portfolio_id: int, key: str, commodity: str, amount: Decimal, day: date
) -> dict[str, Any]:
    """The item that sets money or shares aside for an order."""
    facts = {"kind": MovementKind.RESERVATION, "day": str(day), "settles_on": str(OPEN_END)}
    return {
        "key": key,
        "hash": hash_request(portfolio_id, commodity, amount),
        "entry": facts,
        "lines": _lines(reserve(commodity, amount)),
        "draws": may_draw(MovementKind.RESERVATION),
    }


def reversal_item(
    portfolio_id: int, key: str, txn_id: int, *, release: bool = False
) -> dict[str, Any]:
    """The item that undoes a stored entry, or with `release` gives back what was reserved."""
    hashed = hash_request(portfolio_id, "reverses", txn_id)
    return {"key": key, "hash": hashed, "reverses": txn_id, "release": release}


async def post(
    call: Caller,
    portfolio_id: int,
    user_id: int | None,
    items: Sequence[Mapping[str, Any]],
    when: When,
) -> Posted:
    """Stores the items, all or none. `user_id` None: the installation itself.

    Raises:
        NotFound: no such portfolio of that user, or nothing there that could be reversed.
        Conflict: a key of another request; reversed already; an archived portfolio.
        BadInput: not covered: what there is and what would be needed.
    """
    values = {
        "portfolio": portfolio_id,
        "user_id": user_id,
        "at": when.at,
        "today": orjson.dumps({c: str(day) for c, day in when.today.items()}).decode(),
        "items": orjson.dumps(items).decode(),
    }
    answer = await call(_POST, values)
    if answer["outcome"] not in {"NEW", "REPLAY"}:
        raise _explain(answer)
    return Posted(tuple(answer["ids"]), answer["fresh"])


def _lines(postings: Sequence[Posting]) -> list[tuple[str, str, str]]:
    return [(p.account, p.commodity, f"{p.amount:f}") for p in postings]


def _explain(answer: Mapping[str, str]) -> AppError:
    match answer["outcome"]:
        case "CONFLICT":
            message = "The key %(key).40r was used for another request. Choose a new one."
            return Conflict(message, key=answer["key"])
        case "REVERSED":
            return Conflict("This transaction has been reversed already.")
        case "ARCHIVED":
            return Conflict("The portfolio is archived. Restore it to change it.")
        case "REFUSED":
            return _explain_refusal(answer)
    return missing()


def _explain_refusal(answer: Mapping[str, str]) -> BadInput:
    commodity = answer["commodity"]
    have, need = Decimal(answer["have"]), Decimal(answer["need"])
    if commodity.startswith("share:"):
        message = "%(symbol)s: there are %(have)s shares free, and %(need)s are needed"
        symbol = commodity.removeprefix("share:")
        figures = {"have": f"{have.normalize():f}", "need": f"{need.normalize():f}"}
        return BadInput(message, field="quantity", symbol=symbol, **figures)
    message = "cash is %(have)s, and %(need)s are needed"
    shown = {"have": _grouped(have, commodity), "need": _grouped(need, commodity)}
    return BadInput(message, field="amount", **shown)


def _grouped(amount: Decimal, currency: str) -> str:
    return f"{_SIGNS[currency]}{round_money(amount, currency):,f}"
