"""Alerts as the schema has them: rules, what they have told, and when one is told."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final

import strawberry

from app.domain.alerts.rules import INDICATORS, AlertKind, Delivery, Rule
from app.domain.alerts.telling import Hours
from app.domain.quotes import plain
from app.domain.signals import SignalStrength
from app.errors import BadInput
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.instrument import Instrument
from app.services.alerts.alert_rules import RuleRow
from app.services.alerts.alert_words import alert_sentence, measure_word
from app.services.alerts.alerts import AlertRow
from app.services.market.instruments import InstrumentRow

register_enum(AlertKind)
register_enum(Delivery, "AlertDelivery")

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_USUAL: Final = Rule(AlertKind.PRICE_ABOVE)


@described
@strawberry.type
class AlertRule:
    """A rule that watches one figure.

    `hysteresis`: how far it must go back before the rule may fire again, in percent of a level that
    is a price, else in the figure's own unit. `armed`: whether the next crossing would fire.
    `fired` is how often it has. `level` is a price of today, `levelBeforeSplit` the one that was
    chosen where a split has changed what it means.
    """

    row: strawberry.Private[RuleRow]
    id: strawberry.ID
    kind: AlertKind
    symbol: str | None
    portfolio: strawberry.ID | None
    indicator: str | None
    strength: SignalStrength | None
    level: Decimal | None
    level_before_split: Decimal | None
    sessions: int | None
    hysteresis: Decimal
    cooldown_minutes: int
    delivery: Delivery
    expires_at: datetime | None
    note: str | None
    paused: bool
    armed: bool
    fired: int
    fired_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: RuleRow) -> AlertRule:
        """From a service's row."""
        same = ("kind", "symbol", "sessions", "delivery", "expires_at", "note", "paused")
        indicator = row.measure if row.kind in INDICATORS else None
        strength = row.measure if row.kind is AlertKind.SIGNAL_CHANGE else None
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            portfolio=None if row.portfolio_id is None else strawberry.ID(str(row.portfolio_id)),
            indicator=None if indicator is None else indicator.upper(),
            strength=None if strength is None else SignalStrength(strength),
            level=_plain(row.level),
            level_before_split=_plain(row.level_before_split),
            hysteresis=plain(row.band),
            cooldown_minutes=row.cooldown // 60,
            armed=row.phase == "ARMED",
            fired=row.crossings,
            fired_at=row.fired_at,
            created_at=row.created_at,
            **{name: getattr(row, name) for name in same},
        )

    @strawberry.field
    async def instrument(self, info: Info) -> Instrument | None:
        """What is watched; null for a portfolio, or when it has gone."""
        row = await _find_row(info, self.symbol)
        return None if row is None else Instrument.of(row)

    @strawberry.field
    def indicator_name(self, info: Info) -> str | None:
        """The indicator in the reader's language."""
        return measure_word(self.row.measure, info.context.locale) if self.indicator else None


@described
@strawberry.type
class Alert:
    """What a rule has told: it was seen `at`; `value` in the unit of what was watched."""

    row: strawberry.Private[AlertRow]
    id: strawberry.ID
    rule: strawberry.ID | None
    kind: AlertKind
    symbol: str | None
    portfolio: strawberry.ID | None
    level: Decimal | None
    value: Decimal | None
    note: str | None
    at: datetime
    created_at: datetime
    acknowledged_at: datetime | None

    @classmethod
    def of(cls, row: AlertRow) -> Alert:
        """From a service's row."""
        same = ("kind", "symbol", "note", "at", "created_at", "acknowledged_at")
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            rule=None if row.rule_id is None else strawberry.ID(str(row.rule_id)),
            portfolio=None if row.portfolio_id is None else strawberry.ID(str(row.portfolio_id)),
            level=_plain(row.level),
            value=_plain(row.value),
            **{name: getattr(row, name) for name in same},
        )

    @strawberry.field
    async def sentence(self, info: Info) -> str:
        """What it says, in the reader's language."""
        locale, found = info.context.locale, await _find_row(info, self.symbol)
        name, currency = self.symbol or "", ""
        if found is not None:
            name = found.name_local if locale == "ko" and found.name_local else found.name
            currency = found.currency
        return alert_sentence(self.row, name, currency, locale)


@described
@strawberry.type
class AlertHours:
    """When one is told outside the page, by the clock of one's time zone.

    Nothing is told from `quietFrom` until `quietUntil` unless it is urgent; the digest comes at
    `digestAt`. Times as HH:MM; null: no hour is quiet.
    """

    time_zone: str
    quiet_from: str | None
    quiet_until: str | None
    digest_at: str

    @classmethod
    def of(cls, hours: Hours) -> AlertHours:
        """From a service's value."""
        return cls(
            time_zone=hours.zone.key,
            quiet_from=_clock_text(hours.quiet_from),
            quiet_until=_clock_text(hours.quiet_until),
            digest_at=f"{hours.digest_at:%H:%M}",
        )


@strawberry.input(
    description="A rule to make, or with an id to change: it begins anew. Prices and new highs "
    "and lows need a symbol, indicators one of RSI_14, MACD, … in `indicator`, a drawdown a "
    "portfolio. `strength`: a change of the signal to this one alone."
)
class AlertRuleInput:
    """A rule to make or to change."""

    kind: AlertKind
    id: strawberry.ID | None = None
    symbol: str | None = None
    portfolio: strawberry.ID | None = None
    indicator: str | None = None
    strength: SignalStrength | None = None
    level: Decimal | None = None
    sessions: int | None = None
    hysteresis: Decimal | None = None
    cooldown_minutes: int = int(_USUAL.cooldown / timedelta(minutes=1))
    delivery: Delivery = _USUAL.delivery
    expires_at: datetime | None = None
    note: str | None = None
    paused: bool = False

    def to_rule(self) -> Rule:
        """The rule that is wanted, unchecked."""
        return Rule(
            kind=self.kind,
            symbol=self.symbol,
            portfolio=self.portfolio,
            measure=self.indicator if self.kind in INDICATORS else self.strength,
            level=self.level,
            sessions=self.sessions,
            band=self.hysteresis,
            cooldown=timedelta(minutes=self.cooldown_minutes),
            delivery=self.delivery,
            expires_at=self.expires_at,
            note=self.note,
            paused=self.paused,
        )


def read_clock(text: str | None, field: str) -> time | None:
    """A time of the day from HH:MM; None from nothing.

    Raises:
        BadInput: it is none.
    """
    if not (text or "").strip():
        return None
    if not _CLOCK.fullmatch(plain_text := str(text).strip()):
        msg = "%(name)s is %(value).20r; it must be a time such as 22:00"
        raise BadInput(msg, field=field, name=field, value=text)
    return time.fromisoformat(plain_text)


async def _find_row(info: Info, symbol: str | None) -> InstrumentRow | None:
    return None if symbol is None else await info.context.loaders.instruments.load(symbol)


def _plain(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else plain(figure)


def _clock_text(clock: time | None) -> str | None:
    return None if clock is None else f"{clock:%H:%M}"
