"""One's own alert rules: making, changing and deleting them; how a new one stands at first.

A rule that is made or changed is shown the newest figure at once: what lies beyond its level then
has to come back first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AlertRule, Portfolio
from app.domain.alerts.crossing import Standing, step
from app.domain.alerts.rules import AlertKind, Delivery, Rule, check_rule
from app.env import Env
from app.errors import BadInput, Conflict
from app.services.alerts.alert_figures import see_now
from app.services.alerts.alert_store import LEVEL, follow_extremes, read_rules, read_watch, today
from app.services.market.instruments import check_symbol, find_instruments
from app.services.owned import get_owned

MOST_RULES: Final = 500
"""Rules of one person."""

_ANEW: Final[dict[str, Any]] = {
    "phase": "NEW",
    **dict.fromkeys(("seen_at", "armed_at", "fired_at", "word")),
}
"""How a rule stands that has seen nothing."""


@dataclass(frozen=True)
class RuleRow:
    """A rule as the layers above see one; `crossings` is how often it has fired.

    `level` is a price of today. `level_before_split` is the one that was chosen, where a split has
    changed what it means since.
    """

    id: int
    user_id: int
    kind: AlertKind
    symbol: str | None
    portfolio_id: int | None
    measure: str | None
    level: Decimal | None
    level_before_split: Decimal | None
    sessions: int | None
    band: Decimal
    cooldown: int
    delivery: Delivery
    expires_at: datetime | None
    note: str | None
    paused: bool
    phase: str
    crossings: int
    fired_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: AlertRule, level: Decimal | None) -> RuleRow:
        """From the table, and what its level is today."""
        before = None if level == row.level else row.level
        facts: dict[str, Any] = {f.name: getattr(row, f.name, None) for f in fields(cls)}
        kind, delivery = AlertKind(row.kind), Delivery(row.delivery)
        facts |= {"kind": kind, "delivery": delivery, "level": level, "level_before_split": before}
        return cls(**facts)


async def list_rules(env: Env, user_id: int) -> list[RuleRow]:
    """The user's rules, the newest first."""
    return await _read(env, user_id, AlertRule.user_id == user_id)


async def save_rule(env: Env, user_id: int, wanted: Rule, rule_id: str | None = None) -> RuleRow:
    """Makes a rule, or changes the one of that id: then it begins anew, and its numbers go on.

    Raises:
        BadInput: something that cannot be watched, with its field.
        NotFound: the rule or the portfolio is not there or not the user's.
        Conflict: there are too many already.
    """
    rule = check_rule(await _with_instrument(env, wanted), env.clock.now())
    async with env.db.write(uid=user_id) as db:
        values = await _columns(db, user_id, rule, env.clock.now())
        if rule_id is None:
            await _require_room(db, user_id)
            row = AlertRule(user_id=user_id, created_at=env.clock.now(), crossings=0, **values)
            db.add(row)
        else:
            row = await get_owned(db, AlertRule, rule_id, user_id)
            for name, value in values.items():
                setattr(row, name, value)
        await db.flush()
        made = row.id
    return await _begin(env, user_id, made)


async def pause_rule(env: Env, user_id: int, rule_id: str, *, paused: bool) -> RuleRow:
    """Has a rule see nothing, or begin anew: what happened meanwhile fires nothing.

    Raises:
        NotFound: the rule is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, AlertRule, rule_id, user_id)
        for name, value in {"paused": paused, **_ANEW}.items():
            setattr(row, name, value)
        changed = row.id
    return await _begin(env, user_id, changed)


async def delete_rule(env: Env, user_id: int, rule_id: str) -> None:
    """Forgets a rule; what it has told stays in the history.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, AlertRule, rule_id, user_id)
        await db.execute(delete(AlertRule).where(AlertRule.id == row.id))


async def _with_instrument(env: Env, rule: Rule) -> Rule:
    """The rule, whose symbol is one that is watched."""
    if rule.kind is AlertKind.DRAWDOWN or not rule.symbol:
        return rule
    symbol = check_symbol(rule.symbol)
    if symbol not in await find_instruments(env, [symbol]):
        msg = "symbol is %(value).40r; there is no such instrument here"
        raise BadInput(msg, field="symbol", value=symbol)
    return Rule(**{**vars(rule), "symbol": symbol})


async def _columns(db: AsyncSession, user_id: int, rule: Rule, now: datetime) -> dict[str, Any]:
    """The columns that a rule sets; how it stood before is forgotten, its numbers are not."""
    portfolio = None
    if rule.portfolio is not None:
        portfolio = await get_owned(db, Portfolio, rule.portfolio, user_id)
    same = ("kind", "symbol", "measure", "level", "sessions", "band", "delivery", "expires_at")
    return {
        **{name: getattr(rule, name) for name in (*same, "note", "paused")},
        "portfolio_id": None if portfolio is None else portfolio.id,
        "level_day": now.date(),
        "cooldown": int(rule.cooldown / timedelta(seconds=1)),
        **_ANEW,
    }


async def _read(env: Env, user_id: int, condition: ColumnElement[bool]) -> list[RuleRow]:
    """Those of the user's rules for which that is so, the newest first."""
    query = select(AlertRule, LEVEL).where(condition).order_by(AlertRule.id.desc())
    async with env.db.read(uid=user_id) as db:
        return [RuleRow.of(row, level) for row, level in await db.execute(query, today(env))]


async def _begin(env: Env, user_id: int, rule_id: int) -> RuleRow:
    """A rule that was made or changed, with the level of highs or lows, as it stands at first."""
    (rule,) = await _read(env, user_id, AlertRule.id == rule_id)
    if rule.sessions is not None and rule.symbol is not None:
        await follow_extremes(env, rule.symbol, {(rule.kind, rule.sessions)})
    await _show_present(env, user_id, rule_id)
    (rule,) = await _read(env, user_id, AlertRule.id == rule_id)
    return rule


async def _show_present(env: Env, user_id: int, rule_id: int) -> None:
    """Shows a rule the newest figure, which fires nothing."""
    (row,) = await read_rules(env, AlertRule.id == rule_id)
    seen = await see_now(env, row)
    if seen is None:
        return
    after = step(read_watch(row), Standing(), seen)
    async with env.db.write(uid=user_id) as db:
        rule = await db.get_one(AlertRule, rule_id, with_for_update=True)
        if rule.phase == "NEW":
            rule.phase, rule.word = after.phase, after.word
            rule.seen_at = after.seen_at if seen.ordered else None
            rule.armed_at = env.clock.now() if after.phase == "ARMED" else None


async def _require_room(db: AsyncSession, user_id: int) -> None:
    count = await db.scalar(select(func.count()).where(AlertRule.user_id == user_id))
    if (count or 0) >= MOST_RULES:
        message = "There are %(bound)d alert rules already; delete one first."
        raise Conflict(message, bound=MOST_RULES)
