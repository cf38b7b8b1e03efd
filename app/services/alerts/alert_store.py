"""Rules as they are evaluated, and what has fired: read by what they watch, stored in one step.

A rule moves by one conditional UPDATE from the standing that it was read with, and its alert takes
the number of the crossing: of two workers that see the same one, one stores it. Alert, notices and
their jobs are written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Double, Integer, Numeric, String

from app.db.engine import EVERYONE
from app.db.models import AlertRule, Split
from app.domain.alerts.crossing import Phase, Seen, Standing, Watch, walk
from app.domain.alerts.rules import INDICATORS, OSCILLATORS, PRICES, AlertKind
from app.env import Env
from app.services.alerts.alert_figures import list_extremes
from app.services.alerts.notices import open_notices
from app.services.work.events import announce, hand_over

_OF_PRICES: Final = or_(
    AlertRule.kind.in_(list(PRICES)),
    and_(AlertRule.kind.in_(list(INDICATORS)), AlertRule.measure.not_in(list(OSCILLATORS))),
)
_SPLIT_SINCE: Final = (
    select(func.exp(func.sum(func.ln(Split.numerator / Split.denominator))))
    .where(Split.symbol == AlertRule.symbol, Split.day > AlertRule.level_day)
    .where(Split.day <= bindparam("today", type_=Date), _OF_PRICES)
    .scalar_subquery()
)
LEVEL: Final = func.coalesce(func.round(AlertRule.level / _SPLIT_SINCE, 6), AlertRule.level)
"""A rule's level as a price of the day that is given as `today`: divided by the splits since."""

_RULE: Final[tuple[Any, ...]] = (
    AlertRule.id,
    AlertRule.kind,
    AlertRule.symbol,
    AlertRule.portfolio_id,
    AlertRule.measure,
    AlertRule.sessions,
    AlertRule.band,
    AlertRule.cooldown,
    AlertRule.phase,
    AlertRule.crossings,
    AlertRule.seen_at,
    AlertRule.armed_at,
    AlertRule.fired_at,
    AlertRule.word,
    LEVEL.label("level"),
)
"""What is read of a rule to evaluate it."""


@dataclass(frozen=True)
class Move:
    """A rule that stands differently than before; `fired` is what it has fired at."""

    row: Row[Any]
    after: Standing
    fired: Seen | None


async def list_active(
    env: Env, kinds: Iterable[AlertKind], symbols: Sequence[str] | None = None
) -> Sequence[Row[Any]]:
    """The rules of these kinds that are neither paused nor expired, of some symbols or of all."""
    now = env.clock.now()
    active = [
        AlertRule.kind.in_(list(kinds)),
        ~AlertRule.paused,
        or_(AlertRule.expires_at.is_(None), AlertRule.expires_at > now),
    ]
    if symbols is not None:
        active.append(AlertRule.symbol.in_(symbols))
    return await read_rules(env, *active)


async def read_rules(env: Env, *conditions: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """The rules for which all of that is so, of whoever, as they are evaluated."""
    async with env.db.read(uid=EVERYONE) as db:
        return (await db.execute(select(*_RULE).where(*conditions), today(env))).all()


def today(env: Env) -> dict[str, Any]:
    """What `LEVEL` has to be given."""
    return {"today": env.clock.now().date()}


def read_watch(row: Row[Any]) -> Watch:
    """What of a rule decides when it fires."""
    level = 0.0 if row.level is None else float(row.level)
    if row.kind == AlertKind.FRESHNESS:
        level = 1.0
    cooldown = timedelta(seconds=row.cooldown)
    return Watch.of(AlertKind(row.kind), row.measure, level, float(row.band), cooldown)


def read_standing(row: Row[Any]) -> Standing:
    """How a rule stands."""
    phase = Phase(row.phase)
    return Standing(phase, row.crossings, row.seen_at, row.armed_at, row.fired_at, row.word)


def move(row: Row[Any], path: Sequence[Seen]) -> Move | None:
    """What figures do to a rule, None when it stands as before. Of several crossings the last."""
    before = read_standing(row)
    after, fired = walk(read_watch(row), before, path)
    if after is before:
        return None
    return Move(row, after, fired[-1] if fired else None)


async def store_moves(env: Env, moves: Sequence[Move]) -> int:
    """Stores how rules stand now and what has fired, with the notices of it; how many alerts.

    Raises:
        Unavailable: the database does not answer; then nothing of it is stored.
    """
    if not moves:
        return 0
    values = {name: list(column) for name, column in zip(_COLUMNS, _columns(moves), strict=True)}
    async with env.db.write(uid=EVERYONE) as db:
        made = (await db.execute(_STORE, values | {"now": env.clock.now()})).all()
        jobs = await open_notices(db, made, env.clock.now())
    if made:
        await announce(env, "alert", users=sorted({row.user_id for row in made}))
        await hand_over(env, jobs)
    return len(made)


async def follow_extremes(env: Env, symbol: str, wanted: set[tuple[str, int]]) -> None:
    """Sets the levels of highs and lows to those of the newest sessions."""
    found = await list_extremes(env, symbol, [sessions for _, sessions in wanted])
    async with env.db.write(uid=EVERYONE) as db:
        for kind, sessions in sorted(wanted):
            level = found.level_of(AlertKind(kind), sessions)
            mine = (AlertRule.symbol == symbol, AlertRule.kind == kind)
            rules = update(AlertRule).where(*mine, AlertRule.sessions == sessions)
            await db.execute(rules.values(level=level))


def _columns(moves: Sequence[Move]) -> Any:
    return zip(
        *(
            (
                one.row.id,
                one.row.phase,
                one.row.crossings,
                one.row.level,
                one.after.phase,
                one.fired is not None,
                None if one.fired is None or one.fired.word else one.fired.value,
                one.after.word,
                one.after.seen_at,
                one.after.armed_at,
                one.after.fired_at,
            )
            for one in moves
        ),
        strict=True,
    )


_COLUMNS: Final[dict[str, Any]] = {
    "ids": BigInteger,
    "phases": String,
    "counts": Integer,
    "levels": Numeric,
    "then": String,
    "fired": Boolean,
    "figures": Double,
    "words": String,
    "seen": DateTime(timezone=True),
    "armed": DateTime(timezone=True),
    "shot": DateTime(timezone=True),
}

_STORE: Final = text("""
    WITH given AS (
        SELECT * FROM unnest(:ids, :phases, :counts, :levels, :then, :fired, :figures,
                             :words, :seen, :armed, :shot)
            AS g(id, phase, count, level, after, fired, figure, word, seen_at, armed_at, fired_at)
    ), moved AS (
        UPDATE alert_rule AS r
        SET phase = g.after, crossings = r.crossings + CAST(g.fired AS int), word = g.word,
            seen_at = g.seen_at, armed_at = g.armed_at, fired_at = g.fired_at
        FROM given AS g
        WHERE r.id = g.id AND r.phase = g.phase AND r.crossings = g.count AND NOT r.paused
        RETURNING r.id, r.user_id, r.crossings, r.kind, r.symbol, r.portfolio_id, r.measure,
                  g.level, r.sessions, r.note, r.delivery, g.fired, g.figure, g.word, g.fired_at
    ), made AS (
        INSERT INTO alert (user_id, rule_id, number, kind, symbol, portfolio_id, measure, level,
                           sessions, note, value, word, at, created_at)
        SELECT user_id, id, crossings, kind, symbol, portfolio_id, measure, level, sessions, note,
               figure, CASE WHEN kind = 'SIGNAL_CHANGE' THEN word END, fired_at, :now
        FROM moved WHERE fired
        ON CONFLICT (rule_id, number) DO NOTHING
        RETURNING id, user_id, rule_id
    )
    SELECT made.id, made.user_id, moved.delivery
    FROM made JOIN moved ON moved.id = made.rule_id ORDER BY made.id
""").bindparams(*[bindparam(name, type_=ARRAY(kind)) for name, kind in _COLUMNS.items()])
