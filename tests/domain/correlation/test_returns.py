"""Returns on common rows: Korea and New York by what was known when; golden case G45."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from app.adapters.calendars import sessions as calendar
from app.domain.correlation.matrix import correlate
from app.domain.correlation.returns import Prices, align_returns
from app.domain.session_overrides import SHIPPED
from app.errors import BadInput

SPAN = (date(2021, 1, 1), date(2024, 12, 30))


@pytest.fixture(scope="module")
def sessions() -> dict[str, pl.DataFrame]:
    return {mic: calendar(mic, *SPAN, SHIPPED) for mic in ("XKRX", "XNYS")}


def make_prices(sessions, listed: dict[str, tuple[str, dict[date, float]]]) -> Prices:
    rows = [(s, day, close) for s, (_, closes) in listed.items() for day, close in closes.items()]
    schema = {"symbol": pl.String, "day": pl.Date, "close": pl.Float64}
    closes = pl.DataFrame(rows, schema=schema, orient="row")
    return Prices(closes, {s: mic for s, (mic, _) in listed.items()}, sessions)


def walk(generator, days, steps=None):
    moves = generator.normal(0, 0.01, len(days)) if steps is None else steps
    return dict(zip(days, 100 * np.exp(np.cumsum(moves)), strict=True))


@pytest.fixture
def days(sessions):
    return {mic: frame["day"].to_list() for mic, frame in sessions.items()}


def test_the_clock_of_two_markets_is_no_insight(sessions, days):  # G45
    """Seoul follows the New York of the night before: on Seoul's rows that is the same row."""
    generator = np.random.default_rng(0)
    us = dict(zip(days["XNYS"], generator.normal(0, 0.01, len(days["XNYS"])), strict=True))
    korean = []
    for day in days["XKRX"]:
        night = max((d for d in us if d < day), default=None)
        korean.append(0.5 * us.get(night, 0.0) + generator.normal(0, 0.008))
    listed = {
        "005930.KS": ("XKRX", walk(None, days["XKRX"], korean)),
        "AAPL": ("XNYS", walk(None, days["XNYS"], list(us.values()))),
    }
    prices = make_prices(sessions, listed)
    assert prices.base() == "XKRX"
    found = align_returns(prices, "XKRX", ["005930.KS", "AAPL"]).values
    same, after = correlate(found)[0, 1], np.corrcoef(found[1:, 0], found[:-1, 1])[0, 1]
    assert same > 0.45
    assert abs(after) < 0.1
    in_new_york = align_returns(prices, "XNYS", ["AAPL", "005930.KS"]).values
    assert abs(np.corrcoef(in_new_york[1:, 0], in_new_york[:-1, 1])[0, 1]) < 0.1


def test_a_return_is_the_log_of_the_closes_and_a_gap_is_carried(sessions, days):
    closes = walk(np.random.default_rng(1), days["XKRX"][:60])
    missing = days["XKRX"][20]
    gap = {day: close for day, close in closes.items() if day != missing}
    prices = make_prices(sessions, {"A.KS": ("XKRX", closes), "B.KS": ("XKRX", gap)})
    found = align_returns(prices, "XKRX", ["B.KS", "A.KS"])
    assert found.symbols == ("B.KS", "A.KS")
    assert found.days[0] == days["XKRX"][1]
    a = np.diff(np.log(list(closes.values())))
    np.testing.assert_allclose(found.values[:59, 1], a, rtol=1e-12)
    b = a.copy()
    b[19], b[20] = 0.0, a[19] + a[20]
    np.testing.assert_allclose(found.values[:59, 0], b, rtol=1e-9, atol=1e-15)


def test_two_without_a_common_day_are_named(sessions, days):
    generator = np.random.default_rng(2)
    listed = {
        "OLD": ("XNYS", walk(generator, days["XNYS"][:200])),
        "NEW": ("XNYS", walk(generator, days["XNYS"][400:])),
        "ALL": ("XNYS", walk(generator, days["XNYS"])),
    }
    with pytest.raises(
        BadInput, match=r"(OLD and NEW|NEW and OLD) have 0 days in common"
    ) as caught:
        align_returns(make_prices(sessions, listed), "XNYS", list(listed))
    assert caught.value.field == "symbols"


def test_a_window_that_is_too_short_says_for_whom(sessions, days):
    generator = np.random.default_rng(3)
    listed = {
        "FEW": ("XNYS", walk(generator, days["XNYS"][-20:])),
        "ALL": ("XNYS", walk(generator, days["XNYS"])),
        "NONE": ("XNYS", {}),
    }
    with pytest.raises(BadInput, match="the fewest of them for NONE") as caught:
        align_returns(make_prices(sessions, listed), "XNYS", list(listed))
    assert caught.value.field == "from"
    del listed["NONE"]
    with pytest.raises(BadInput, match=r"has 19 days .* for FEW; at least 30 are needed"):
        align_returns(make_prices(sessions, listed), "XNYS", list(listed))
