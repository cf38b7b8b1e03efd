"""Rules: what may be asked for, and the error for what may not, with its field and value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.alerts.rules import AlertKind, Rule, check_rule
from app.errors import BadInput

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PRICE = {"kind": AlertKind.PRICE_ABOVE, "symbol": "A", "level": Decimal(5)}
RSI = {"kind": AlertKind.INDICATOR_BELOW, "symbol": "A", "level": Decimal(30)}


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        (PRICE | {"symbol": None}, "symbol", "“PRICE_ABOVE” needs symbol"),
        (PRICE | {"level": None}, "level", "needs level"),
        (PRICE | {"level": Decimal(0)}, "level", "level is 0; it must be from 0 to 1000000000"),
        (PRICE | {"level": Decimal("NaN")}, "level", "level is NaN"),
        (RSI | {"measure": "sma_7"}, "indicator", "indicator is 'sma_7'; there are rsi_14"),
        (RSI, "indicator", "indicator is ''"),
        ({"kind": AlertKind.DRAWDOWN, "level": Decimal(5)}, "portfolio", "needs portfolio"),
        (
            {"kind": AlertKind.NEW_LOW, "symbol": "A", "sessions": 1},
            "sessions",
            "is 1; it must be from 2",
        ),
        (
            {"kind": AlertKind.SIGNAL_CHANGE, "symbol": "A", "measure": "MAYBE"},
            "strength",
            "'MAYBE'",
        ),
        (PRICE | {"band": Decimal(51)}, "hysteresis", "hysteresis is 51"),
        (
            PRICE | {"cooldown": timedelta(days=8)},
            "cooldownMinutes",
            "is 11520; it must be from 0 to 10080",
        ),
        (PRICE | {"expires_at": NOW}, "expiresAt", "must lie in the future"),
        (PRICE | {"note": "x" * 201}, "note", "note has 201 characters"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_value(given, field, said):
    with pytest.raises(BadInput, match=said.replace("(", r"\(")) as refused:
        check_rule(Rule(**given), NOW)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "band"),
    [
        (PRICE, "0.5"),
        (RSI | {"measure": "RSI_14"}, "1"),
        (RSI | {"measure": "macd"}, "0"),
        (RSI | {"measure": "sma_20"}, "0.5"),
        ({"kind": AlertKind.FRESHNESS, "symbol": "A"}, "0"),
        ({"kind": AlertKind.DRAWDOWN, "portfolio": "1", "level": Decimal(5)}, "1"),
    ],
)
def test_a_band_that_is_left_open_is_the_usual_one(given, band):
    assert check_rule(Rule(**given), NOW).band == Decimal(band)


def test_what_a_kind_has_no_use_for_is_dropped():
    rule = check_rule(Rule(**PRICE, portfolio="7", measure="rsi_14", sessions=9, note="  "), NOW)
    assert (rule.portfolio, rule.measure, rule.sessions, rule.note) == (None, None, None, None)
    high = check_rule(Rule(AlertKind.NEW_HIGH, "A", level=Decimal(3)), NOW)
    assert (high.level, high.sessions) == (None, 252)
