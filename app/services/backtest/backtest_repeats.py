"""Backtests that run again after each collection, and the shadow twins of portfolios among them.

A repetition is a row of its own, with a later last day and the data version of its time. It begins
when the newest day of its instruments is later than that of the last one, and nothing of them is
being collected. A twin trades what its strategy says from the day on which the portfolio was
opened, with the same capital and costs; its result tells trade by trade what differs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_once
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import EVERYONE
from app.db.models import Backtest
from app.domain.backtest.request import Mode, Request
from app.domain.trading.costs import find_profile
from app.domain.trading.listings import find_listing
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.backtest.backtests import BacktestRow, get_backtest, open_parts, require_room
from app.services.collect.revisions import data_version
from app.services.market.prices import horizon
from app.services.owned import get_owned
from app.services.portfolio.portfolios import PortfolioRow, get_portfolio
from app.services.settings import get_source
from app.services.work.events import hand_over

MOST_REPEATING: Final = 20
"""Backtests of one person that run again."""
KEPT: Final = 60
"""Repetitions of one that are kept, the newest."""
AT_ONCE: Final = 100
"""Repetitions that one look opens."""


async def repeat_backtest(env: Env, user_id: int, backtest_id: str, *, on: bool) -> BacktestRow:
    """Has one run again after each collection, or no more.

    Raises:
        NotFound: it is not there or not the user's.
        Conflict: it is itself a repetition, or too many run again already.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, Backtest, backtest_id, user_id, Backtest.deleted_at.is_(None))
        if row.repeat_of is not None:
            raise Conflict("This is a repetition itself. Change the backtest that it repeats.")
        if on and not row.repeats:
            await _require_place(db, user_id)
        row.repeats = on
        await db.flush()
        return BacktestRow.of(row)


async def shadow_portfolio(
    env: Env, user_id: int, backtest_id: str, portfolio_id: str
) -> BacktestRow:
    """Makes a twin of a portfolio of virtual money out of a single run of the user's.

    Raises:
        NotFound: one of both is not there or not the user's.
        BadInput: a sweep or a walk-forward, a portfolio of real money, of another currency or
            without capital.
        Conflict: too many wait or run, or run again, already.
    """
    row = await get_backtest(env, user_id, backtest_id)
    portfolio = await get_portfolio(env, user_id, portfolio_id)
    request = make_twin(row.request, portfolio, await _newest_day(env, row.symbols))
    values = _again(row, request, await data_version(env), await get_source(env), env) | {
        "portfolio_id": portfolio.id,
        "repeats": True,
        "name": None,
    }
    begun = request.last_day >= portfolio.opened_on
    if not begun:  # the first collection since then will begin it
        values |= {"state": "DONE", "done_at": env.clock.now()}
    async with env.db.write(uid=user_id) as db:
        await require_room(db, user_id)
        await _require_place(db, user_id)
        made = (await db.scalars(insert(Backtest).values(values).returning(Backtest))).one()
        jobs = await open_parts(db, made, env.clock.now()) if begun else []
        twin = BacktestRow.of(made)
    await hand_over(env, jobs)
    return twin


def make_twin(request: Request, portfolio: PortfolioRow, newest: date) -> Request:
    """The request of a portfolio's twin.

    Raises:
        BadInput: as `shadow_portfolio`.
    """
    currency = find_listing(request.symbols[0]).currency
    facts = {"portfolio": portfolio.name, "currency": currency}
    if request.mode is not Mode.RUN:
        message = "Only a single run can shadow a portfolio: open the best cell as a run first"
        raise BadInput(message, field="backtestId")
    if portfolio.kind is PortfolioKind.TRACKED:
        message = "%(portfolio)s records a real account; one of virtual money can be shadowed"
        raise BadInput(message, field="portfolioId", **facts)
    if portfolio.base_currency != currency or not portfolio.initial_capital:
        message = "%(portfolio)s was not opened with an amount of %(currency)s to begin with"
        raise BadInput(message, field="portfolioId", **facts)
    costs = find_profile(portfolio.cost_profile)
    return replace(
        request,
        setup=replace(request.setup, cash=portfolio.initial_capital, costs=costs),
        first_day=min(request.first_day, portfolio.opened_on),
        last_day=newest,
        since=portfolio.opened_on,
    )


async def list_repetitions(
    env: Env, user_id: int, backtest_id: int, first: int = KEPT
) -> list[BacktestRow]:
    """The repetitions of one of the user's backtests, the newest first."""
    mine = Backtest.repeat_of == backtest_id, Backtest.user_id == user_id
    query = select(Backtest).where(*mine).order_by(Backtest.last_day.desc()).limit(first)
    async with env.db.read(uid=user_id) as db:
        return [BacktestRow.of(row) for row in await db.scalars(query)]


async def open_repeats(env: Env) -> int:
    """Begins every repetition that is due; how many. Two at the same time begin each once."""
    params = {"until": await horizon(env) or date.max, "most": AT_ONCE}
    async with env.db.read(uid=EVERYONE) as db:
        due = (await db.execute(text(_DUE), params)).all()
    jobs = [job for found in due for job in await _open_repeat(env, found.id, found.day)]
    await hand_over(env, jobs)
    return len(jobs)


async def _open_repeat(env: Env, backtest_id: int, day: date) -> list[int]:
    """The jobs of one repetition; none where another process has begun it."""
    version, source = await data_version(env), await get_source(env)
    async with env.db.write(uid=EVERYONE) as db:
        row = await db.get_one(Backtest, backtest_id)
        request = replace(Request.load(row.input), last_day=day)
        values = _again(BacktestRow.of(row), request, version, source, env)
        values |= {"repeat_of": row.id, "portfolio_id": row.portfolio_id}
        once = insert_once(Backtest).values(values).on_conflict_do_nothing()
        made = (await db.scalars(once.returning(Backtest))).one_or_none()
        if made is None:
            return []
        await db.execute(text(_FORGET), {"id": row.id, "kept": KEPT})
        return await open_parts(db, made, env.clock.now())


def _again(
    row: BacktestRow, request: Request, version: int, source: str, env: Env
) -> dict[str, Any]:
    """The columns of the same backtest with another request."""
    same = ("user_id", "name", "mode", "strategy", "symbols", "parts")
    return {name: getattr(row, name) for name in same} | {
        "first_day": request.since or request.first_day,
        "last_day": request.last_day,
        "input": request.dump() | {"part_size": row.input["part_size"], "title": row.title},
        "data_version": version,
        "source": source,
        "trials": request.cells,
        "created_at": env.clock.now(),
    }


async def _newest_day(env: Env, symbols: list[str]) -> date:
    """The newest stored day of these instruments that may be shown."""
    params = {"symbols": symbols, "until": await horizon(env) or date.max}
    async with env.db.read() as db:
        return await db.scalar(text(f"SELECT {_NEWEST}"), params) or date.min


async def _require_place(db: AsyncSession, user_id: int) -> None:
    query = select(func.count()).where(Backtest.user_id == user_id, Backtest.repeats)
    if (await db.scalar(query) or 0) >= MOST_REPEATING:
        message = "%(bound)d backtests run again after each collection already. Stop one first."
        raise Conflict(message, bound=MOST_REPEATING)


_NEWEST: Final = """(
    SELECT max(newest.day) FROM unnest(CAST(:symbols AS varchar[])) AS one (symbol)
    CROSS JOIN LATERAL (
        SELECT day FROM bar WHERE bar.symbol = one.symbol AND close IS NOT NULL AND day <= :until
        ORDER BY day DESC LIMIT 1
    ) AS newest
)"""
_DUE: Final = f"""
    SELECT b.id, newest.day FROM backtest AS b
    CROSS JOIN LATERAL (SELECT {_NEWEST.replace("CAST(:symbols AS varchar[])", "b.symbols")} AS day)
        AS newest
    WHERE b.repeats AND b.deleted_at IS NULL AND b.done_at IS NOT NULL
        AND newest.day > greatest(
            b.last_day, (SELECT max(r.last_day) FROM backtest AS r WHERE r.repeat_of = b.id)
        )
        AND NOT EXISTS (
            SELECT FROM job AS j WHERE j.kind = 'collect' AND j.done_at IS NULL
            AND j.symbol = ANY(b.symbols)
        )
    ORDER BY b.id LIMIT :most
"""
_FORGET: Final = """
    DELETE FROM backtest WHERE repeat_of = :id AND id IN (
        SELECT id FROM backtest WHERE repeat_of = :id ORDER BY last_day DESC OFFSET :kept
    )
"""
