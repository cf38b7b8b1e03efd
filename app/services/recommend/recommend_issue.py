"""Issuing recommendations: walked over the stored history, appended, and scored at their horizon.

The first time, one day of each week of the history is issued as simulated, so that the record says
something from the first day. From then on each new day of a market is issued once, whatever is
corrected later: the data version says on what it was made. Every issue's digest takes in the one
before it, so that a row that was changed behind our back would show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.frames import copy_frame, read_frame
from app.db.models import RecommendationIssue
from app.domain.market import currency_digits
from app.domain.recommend.costs import round_trip_costs
from app.domain.recommend.engine import Engine, RuleEngine
from app.domain.recommend.markets import HOMES, MarketKey
from app.domain.recommend.outcomes import CLOSES_AFTER, HORIZON
from app.domain.recommend.panel import Days
from app.domain.recommend.walk import (
    Recommendation,
    Walk,
    compared_with,
    recommend,
    stand,
    walk_forward,
)
from app.env import Env
from app.services.recommend.recommend_baselines import append_choices
from app.services.recommend.recommend_data import MarketData, load_market, locate
from app.services.recommend.recommend_seal import seal
from app.services.settings import hold_source

ENGINE: Final[Engine] = RuleEngine()
AT_ONCE: Final = 10  # issues of one transaction
SLICE: Final = 20_000  # outcomes of one transaction

ISSUED, TOO_SHORT, SUPERSEDED = "ISSUED", "TOO_SHORT", "SUPERSEDED"

_OPEN: Final = pl.Schema(
    {
        "issue_id": pl.Int64,
        "symbol": pl.String,
        "issued_for": pl.Date,
        "low": pl.Float64,
        "high": pl.Float64,
        "cost": pl.Float64,
    }
)


async def issue(env: Env, market: MarketKey) -> tuple[str, int]:
    """Issues what is new in a market and scores what is over; the outcome, and how many rows.

    TOO_SHORT: no outcome is closed yet, so there is no base rate. SUPERSEDED: the source was
    switched meanwhile.

    Raises:
        Unavailable: the database does not answer.
    """
    data = await load_market(env, market)
    if data is None:
        return TOO_SHORT, 0
    cost = round_trip_costs(data.panel.days, HOMES[market].currency)
    walk = await asyncio.to_thread(walk_forward, data.panel, ENGINE, cost)
    last = len(data.panel.days) - 1
    if not np.isfinite(walk.calibration.base[last]):
        return TOO_SHORT, 0
    rows = 0
    days = await _days_to_issue(env, data)
    for start in range(0, len(days), AT_ONCE):
        written = await _write(env, data, walk, days[start : start + AT_ONCE])
        if written is None:
            return SUPERSEDED, rows
        rows += written
    await append_choices(env, data, walk)
    await _score(env, data, walk)
    return ISSUED, rows


def weekly(days: Days) -> list[int]:
    """The first session of each week: what is simulated, whatever comes later."""
    weeks = (days.astype(np.int64) + 3) // 7  # 1970-01-01 was a Thursday
    starts = np.concatenate(([True], weeks[1:] != weeks[:-1]))
    return np.flatnonzero(starts).tolist()


async def _days_to_issue(env: Env, data: MarketData) -> list[int]:
    """Sessions, in order: the weeks of the history unless they are there, and the newest."""
    params = {"source": data.source, "market": data.market, "model": ENGINE.name}
    async with env.db.read() as db:
        newest, live = (await db.execute(text(_NEWEST), params)).one()
    last = len(data.panel.days) - 1
    days = data.panel.days.tolist()
    weeks = [] if live else [day for day in weekly(data.panel.days) if day < last]
    return [day for day in (*weeks, last) if newest is None or days[day] > newest]


async def _write(env: Env, data: MarketData, walk: Walk, sessions: Sequence[int]) -> int | None:
    """Appends the issues of these sessions; None when the source was switched."""
    last = len(data.panel.days) - 1
    rows = 0
    async with env.db.write() as db:
        if await hold_source(db) != data.source:
            return None
        params = {"source": data.source, "market": data.market, "model": ENGINE.name}
        await db.execute(text(_LOCK), params)
        newest, _ = (await db.execute(text(_NEWEST), params)).one()
        digest = await db.scalar(text(_LAST_DIGEST), params) or ""
        for session in sessions:
            day = data.panel.days[session].item()
            found = recommend(walk, session)
            if not found or (newest is not None and day <= newest):
                continue
            facts = _facts(env, data, walk, session, simulated=session < last)
            lines = _lines(data, session, found)
            digest = seal(digest, facts, lines)
            rows += await _append(db, facts | {"digest": digest}, lines)
    return rows


def _facts(
    env: Env, data: MarketData, walk: Walk, session: int, *, simulated: bool
) -> dict[str, Any]:
    standing = stand(walk, session)
    currency = HOMES[data.market].currency
    day = data.panel.days[session : session + 1]
    return {
        "source": data.source,
        "market": data.market.value,
        "model": ENGINE.name,
        "day": day[0].item(),
        "horizon": HORIZON,
        "simulated": simulated,
        "issued_at": env.clock.now(),
        "data_version": data.version,
        "few": bool(data.panel.few[session]),
        "compared_with": compared_with(walk, session),
        "base_rate": round(float(walk.calibration.base[session]), 6),
        "cost": round(float(round_trip_costs(day, currency)[0]), 8),
        "evidence": standing.evidence.value,
        "standing": {k: v for k, v in asdict(standing).items() if k != "evidence"},
    }


def _lines(data: MarketData, session: int, found: Sequence[Recommendation]) -> list[dict[str, Any]]:
    digits = currency_digits(HOMES[data.market].currency)
    columns = {symbol: at for at, symbol in enumerate(data.panel.symbols)}
    lines = []
    for one in sorted(found, key=lambda one: one.symbol):
        close = float(data.traded[session, columns[one.symbol]])
        bounds = [
            None if m is None else max(round(close * (1 + m), digits), 0.0)
            for m in (one.low, one.high)
        ]
        lines.append(
            {
                "symbol": one.symbol,
                "action": one.action.value,
                "rank": one.rank,
                "technical": one.technical,
                "value": one.value,
                "probability": one.probability,
                "close": close,
                "stop": bounds[0],
                "target": bounds[1],
                "low": one.low,
                "high": one.high,
                "reasons": [
                    [r.feature.value, float(f"{r.value:.6g}"), round(r.push, 6)]
                    for r in one.reasons
                ],
            }
        )
    return lines


async def _append(db: AsyncSession, facts: dict[str, Any], lines: list[dict[str, Any]]) -> int:
    made = insert(RecommendationIssue).values(facts).returning(RecommendationIssue.id)
    number = await db.scalar(made)
    written = [line | {"reasons": orjson.dumps(line["reasons"]).decode()} for line in lines]
    frame = pl.DataFrame(written, schema=LINES).select(pl.lit(number).alias("issue_id"), pl.all())
    return await copy_frame(db, "recommendation", frame)


async def _score(env: Env, data: MarketData, walk: Walk) -> int:
    """Appends the outcomes of what is over by now; how many."""
    panel = data.panel
    if len(panel.days) <= CLOSES_AFTER:
        return 0
    over = panel.days[len(panel.days) - 1 - CLOSES_AFTER].item()
    params = {"source": data.source, "market": data.market, "model": ENGINE.name, "over": over}
    async with env.db.read() as db:
        opened = await read_frame(db, _OPEN_SQL, params, _OPEN)
    scored = await asyncio.to_thread(_outcomes, opened, walk)
    scored = scored.with_columns(
        scored_at=pl.lit(env.clock.now()), data_version=pl.lit(data.version)
    )
    for start in range(0, scored.height, SLICE):
        async with env.db.write() as db:
            if await hold_source(db) != data.source:
                return start
            await db.execute(text(_LOCK), params)
            await db.execute(text(_STAGE))
            await copy_frame(db, "fresh_outcome", scored.slice(start, SLICE))
            await db.execute(text(_MERGE))
    return scored.height


def _outcomes(opened: pl.DataFrame, walk: Walk) -> pl.DataFrame:
    """What became of these: a row each, NO_PRICES where the panel does not know."""
    row, column, here = locate(opened, walk.panel)
    days = walk.panel.days
    found = walk.outcomes

    def pick(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        picked: np.ndarray[Any, Any] = np.where(here, table[row, column], np.nan)
        return picked

    excess, move = pick(found.excess), pick(found.move)
    low, high = opened["low"].to_numpy(), opened["high"].to_numpy()
    known = np.isfinite(excess)
    banded = known & np.isfinite(low) & np.isfinite(high)
    ends = days[np.minimum(row + CLOSES_AFTER, len(days) - 1)]
    frame = opened.select("issue_id", "symbol").with_columns(
        state=pl.Series(np.where(known, "SCORED", "NO_PRICES"), dtype=pl.String),
        day=pl.Series(ends).cast(pl.Date),
        returned=pl.Series(pick(found.returns)),
        market=pl.Series(np.where(known, found.market[row], np.nan)),
        held=pl.Series(np.where(known, found.held[row], np.nan)),
        excess=pl.Series(excess),
        net=pl.Series(excess) - opened["cost"],
        move=pl.Series(move),
        beat=pl.Series(excess > 0),
        inside=pl.Series((move >= low) & (move <= high)),
    )
    floats = pl.col(pl.Float64).fill_nan(None)
    return frame.with_columns(
        floats,
        pl.when(pl.Series(known)).then(pl.col("beat")).alias("beat"),
        pl.when(pl.Series(banded)).then(pl.col("inside")).alias("inside"),
    )


LINES: Final = pl.Schema(
    {"symbol": pl.String, "action": pl.String}
    | dict.fromkeys(("rank", "technical", "value", "probability"), pl.Float64)
    | dict.fromkeys(("close", "stop", "target", "low", "high"), pl.Float64)
    | {"reasons": pl.String}
)
"""The rows of an issue as they are copied."""

_SAME: Final = "source = :source AND market = :market AND model = :model"
_LOCK: Final = (
    "SELECT pg_advisory_xact_lock(hashtext('recommend:' || CAST(:source AS text) || :market))"
)
_NEWEST: Final = f"""
    SELECT max(day), coalesce(bool_or(NOT simulated), false) FROM recommendation_issue WHERE {_SAME}
"""
_LAST_DIGEST: Final = f"""
    SELECT digest FROM recommendation_issue WHERE {_SAME} ORDER BY id DESC LIMIT 1
"""
_OPEN_SQL: Final = f"""
    SELECT r.issue_id, r.symbol, i.day AS issued_for, r.low, r.high, i.cost
    FROM recommendation AS r JOIN recommendation_issue AS i ON i.id = r.issue_id
    LEFT JOIN recommendation_outcome AS o USING (issue_id, symbol)
    WHERE i.{_SAME.replace(" AND ", " AND i.")} AND i.day <= :over AND o.symbol IS NULL
    ORDER BY r.issue_id, r.symbol
"""
_STAGE: Final = """
    CREATE TEMP TABLE fresh_outcome (LIKE recommendation_outcome) ON COMMIT DROP
"""
_MERGE: Final = """
    INSERT INTO recommendation_outcome SELECT * FROM fresh_outcome ON CONFLICT DO NOTHING
"""
