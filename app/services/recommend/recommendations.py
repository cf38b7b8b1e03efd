"""Recommendations as they were issued: the newest ones, and what they mean for holdings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from app.domain.recommend.actions import ADVICE, Action, Advice
from app.domain.recommend.features import Feature
from app.domain.recommend.markets import HOMES
from app.domain.replay import last_shown
from app.env import Env
from app.errors import BadInput
from app.services.market.replay import replayed
from app.services.paging import Page, check_first, cut_page, make_cursor, read_cursor
from app.services.settings import read_mode


class Sort(StrEnum):
    """In which order they are listed."""

    RANK = "RANK"
    PROBABILITY = "PROBABILITY"
    SYMBOL = "SYMBOL"


@dataclass(frozen=True)
class IssueRow:
    """An issue: the recommendations of a market and day."""

    id: int
    market: str
    model: str
    day: date
    horizon: int
    simulated: bool
    data_version: int
    few: bool
    compared_with: str | None
    base_rate: float
    cost: float
    evidence: str
    standing: dict[str, Any]
    instruments: int


@dataclass(frozen=True)
class OutcomeRow:
    """What became of a recommendation; None in all figures where no prices are stored any more."""

    state: str
    day: date
    returned: float | None
    excess: float | None
    net: float | None
    beat: bool | None
    inside: bool | None


@dataclass(frozen=True)
class RecommendationRow:
    """A recommendation with its issue; `outcome` is None until its horizon has passed.

    A reason is a feature, its value, and what it added to the score.
    """

    issue: IssueRow
    symbol: str
    action: Action
    rank: float
    technical: float
    value: float | None
    probability: float | None
    close: Decimal
    stop: Decimal | None
    target: Decimal | None
    reasons: list[tuple[Feature, float, float]]
    outcome: OutcomeRow | None


@dataclass(frozen=True)
class Situation:
    """Where a recommendation stands in its issue, and since when the rule has said the same.

    `ordinal` counts from the best rank, which is 1; equal ranks share theirs. `since` is the first
    day of the unbroken run of that action: among what was issued, or among what was simulated.
    """

    ordinal: int
    since: date


@dataclass(frozen=True)
class HeldRow:
    """What the newest recommendation of a symbol would do with a position of a portfolio."""

    portfolio_id: int
    portfolio: str
    symbol: str
    quantity: Decimal
    advice: Advice
    recommendation: RecommendationRow


@dataclass(frozen=True)
class WalkRow:
    """How far the first walk over a market's history is: weeks issued, of about so many."""

    market: str
    done: int
    total: int


async def list_issues(
    env: Env, as_of: date | None = None, market: str | None = None
) -> list[IssueRow]:
    """The newest issue of each market, or of one, on or before a day.

    Raises:
        BadInput: there is no such market.
        Unavailable: the database does not answer.
    """
    if market is not None and market not in HOMES:
        message = "There is no market %(value).20r; there are %(known)s"
        raise BadInput(message, field="market", value=market, known=", ".join(HOMES))
    issues = await env.flights.ask((list_issues, as_of), lambda: _list_issues(env, as_of))
    return [issue for issue in issues if market in {None, issue.market}]


async def _list_issues(env: Env, as_of: date | None) -> list[IssueRow]:
    source, stands = await read_mode(env)
    shown = last_shown(await replayed(env, source, stands)) or date.max
    params = {"source": source, "until": min(as_of or shown, shown), "markets": list(HOMES)}
    async with env.db.read() as db:
        return [IssueRow(**row) for row in (await db.execute(text(_ISSUES), params)).mappings()]


async def list_recommendations(  # noqa: PLR0913 - the arguments of the question
    env: Env,
    *,
    as_of: date | None = None,
    market: str | None = None,
    sort: Sort = Sort.RANK,
    first: int = 50,
    after: str | None = None,
) -> Page[RecommendationRow]:
    """The rows of the newest issues, best first or by symbol; of instruments that are watched.

    Raises:
        BadInput: `first` is not from 1 to 200, no such market, or no cursor of ours.
        Unavailable: the database does not answer.
    """
    check_first(first)
    skip = read_cursor(after, int)[0] if after else 0
    if skip < 0:
        message = "after is %(value).60r; it must be the endCursor of an earlier page"
        raise BadInput(message, field="after", value=after)
    issues = {issue.id: issue for issue in await list_issues(env, as_of, market)}
    if not issues:
        return cut_page([], [], first)
    params = {"issues": list(issues), "skip": skip, "rows": first + 1}
    order = _ORDERS[sort]
    async with env.db.read() as db:
        rows = (await db.execute(text(_ROWS.format(order=order)), params)).mappings().all()
    found = [_row(issues[row["issue_id"]], row) for row in rows]
    cursors = [make_cursor(skip + n + 1) for n in range(len(found))]
    return cut_page(found, cursors, first)


async def count_recommendations(
    env: Env, as_of: date | None = None, market: str | None = None
) -> int:
    """How many rows `list_recommendations` has on all pages."""
    issues = await list_issues(env, as_of, market)
    params = {"issues": [issue.id for issue in issues]}
    async with env.db.read() as db:
        return int(await db.scalar(text(_COUNT), params) or 0)


async def find_recommendation(env: Env, symbol: str) -> RecommendationRow | None:
    """What the newest issue of its market says of an instrument; None when it is not in it.

    Raises:
        Unavailable: the database does not answer.
    """
    issues = {issue.id: issue for issue in await list_issues(env)}
    params = {"issues": list(issues), "symbol": symbol}
    async with env.db.read() as db:
        row = (await db.execute(text(_ONE), params)).mappings().one_or_none()
    return None if row is None else _row(issues[row["issue_id"]], row)


async def find_situations(
    env: Env, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], Situation]:
    """Where recommendations stand, by issue and symbol.

    Raises:
        Unavailable: the database does not answer.
    """
    issues, symbols = zip(*keys, strict=True)
    params = {"issues": list(issues), "symbols": list(symbols)}
    async with env.db.read() as db:
        rows = (await db.execute(text(_SITUATIONS), params)).all()
    return {(row.issue_id, row.symbol): Situation(row.ordinal, row.since) for row in rows}


async def list_held(env: Env, user_id: int, first: int = 50) -> list[HeldRow]:
    """The positions of a user's portfolios for which there is a recommendation of the newest day.

    Those come first of which the rule thinks least.

    Raises:
        BadInput: `first` is not from 1 to 200.
        Unavailable: the database does not answer.
    """
    issues = {issue.id: issue for issue in await list_issues(env)}
    async with env.db.read(uid=user_id) as db:
        params = {"issues": list(issues), "rows": check_first(first)}
        rows = (await db.execute(text(_HELD), params)).mappings().all()
    return [
        HeldRow(
            row["portfolio_id"],
            row["portfolio"],
            row["symbol"],
            row["quantity"],
            ADVICE[Action(row["action"])],
            _row(issues[row["issue_id"]], row),
        )
        for row in rows
    ]


async def list_walks(env: Env) -> list[WalkRow]:
    """The markets whose history is walked over for the first time, or soon will be.

    Raises:
        Unavailable: the database does not answer.
    """
    source, _ = await read_mode(env)
    walks = []
    async with env.db.read() as db:
        for market, home in HOMES.items():
            params = {"source": source, "market": market.value, "currency": home.currency}
            row = (await db.execute(text(_WALK), params)).one()
            if row.weeks and not row.live and (row.open or not row.ended):
                walks.append(WalkRow(market.value, row.issued, max(row.weeks, row.issued)))
    return walks


def _row(issue: IssueRow, row: Any) -> RecommendationRow:
    outcome = None
    if row["state"] is not None:
        told = {name: row[name] for name in ("returned", "excess", "net", "beat", "inside")}
        outcome = OutcomeRow(row["state"], row["over"], **told)
    reasons = [(Feature(name), value, push) for name, value, push in row["reasons"]]
    said = {name: row[name] for name in _SAID}
    return RecommendationRow(
        issue, action=Action(row["action"]), reasons=reasons, outcome=outcome, **said
    )


_SAID: Final = (
    "symbol", "rank", "technical", "value", "probability", "close", "stop", "target",
)  # fmt: skip
_ORDERS: Final = {
    Sort.RANK: "r.rank DESC, r.symbol",
    Sort.PROBABILITY: "r.probability DESC NULLS LAST, r.rank DESC, r.symbol",
    Sort.SYMBOL: "r.symbol",
}
_ISSUES: Final = """
    SELECT DISTINCT ON (i.market) i.id, i.market, i.model, i.day, i.horizon, i.simulated,
        i.data_version, i.few, i.compared_with, i.base_rate, i.cost, i.evidence, i.standing,
        (SELECT count(*) FROM recommendation WHERE issue_id = i.id) AS instruments
    FROM recommendation_issue AS i
    WHERE i.source = :source AND i.day <= :until AND i.market = ANY(:markets)
    ORDER BY i.market, i.day DESC
"""
_FIELDS: Final = """
    r.issue_id, r.symbol, r.action, r.rank, r.technical, r.value, r.probability, r.close, r.stop,
    r.target, r.reasons, o.state, o.day AS over, o.returned, o.excess, o.net, o.beat, o.inside
"""
_FROM: Final = """
    FROM recommendation AS r JOIN instrument AS n ON n.symbol = r.symbol
    LEFT JOIN recommendation_outcome AS o
        ON o.issue_id = r.issue_id AND o.symbol = r.symbol
"""
_OF_ISSUES: Final = "WHERE r.issue_id = ANY(:issues)"
_ROWS: Final = f"SELECT {_FIELDS} {_FROM} {_OF_ISSUES} ORDER BY {{order}} LIMIT :rows OFFSET :skip"
_COUNT: Final = f"SELECT count(*) {_FROM} {_OF_ISSUES}"
_ONE: Final = f"SELECT {_FIELDS} {_FROM} {_OF_ISSUES} AND r.symbol = :symbol"
_SAYING: Final = """
    FROM recommendation AS q JOIN recommendation_issue AS j ON j.id = q.issue_id
    WHERE q.symbol = r.symbol AND j.day <= i.day
        AND (j.source, j.market, j.model, j.simulated) = (i.source, i.market, i.model, i.simulated)
"""
_SITUATIONS: Final = f"""
    SELECT r.issue_id, r.symbol,
        (SELECT count(*) + 1 FROM recommendation
         WHERE issue_id = r.issue_id AND rank > r.rank) AS ordinal,
        (SELECT min(j.day) {_SAYING} AND j.day > coalesce(
            (SELECT max(j.day) {_SAYING} AND q.action <> r.action), '-infinity')) AS since
    FROM unnest(CAST(:issues AS bigint[]), CAST(:symbols AS text[])) AS k(issue_id, symbol)
    JOIN recommendation AS r USING (issue_id, symbol)
    JOIN recommendation_issue AS i ON i.id = r.issue_id
"""
_HELD: Final = f"""
    SELECT p.id AS portfolio_id, p.name AS portfolio, a.balance AS quantity, {_FIELDS}
    {_FROM}
    JOIN account AS a
        ON a.commodity = 'share:' || r.symbol AND a.kind = 'POSITION' AND a.balance > 0
    JOIN portfolio AS p ON p.id = a.portfolio_id AND p.archived_at IS NULL
    {_OF_ISSUES} ORDER BY r.rank, r.symbol, p.id LIMIT :rows
"""
_WALK: Final = """
    WITH work AS (
        SELECT min(due_at) FILTER (WHERE done_at IS NULL) AS open, max(done_at) AS ended
        FROM job
        WHERE kind = 'recommend' AND key LIKE 'recommend:' || :source || ':' || :market || ':%'
    ), issued AS (
        SELECT simulated, issued_at FROM recommendation_issue
        WHERE source = :source AND market = :market
    )
    SELECT work.open, work.ended,
        EXISTS (SELECT FROM issued
                WHERE NOT simulated AND issued_at < coalesce(work.open, 'infinity')) AS live,
        (SELECT count(*) FROM issued WHERE simulated) AS issued,
        (SELECT coalesce((max(l.last) - min(l.first)) / 7, 0) FROM instrument AS n
         CROSS JOIN LATERAL (SELECT min(day) AS first, max(day) AS last FROM bar
                             WHERE symbol = n.symbol) AS l
         WHERE n.tracked AND n.kind = 'EQUITY' AND n.currency = :currency) AS weeks
    FROM work
"""
