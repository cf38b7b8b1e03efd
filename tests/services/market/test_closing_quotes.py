"""Quotes by the last stored close: as traded, adjusted for a split, none from the future."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import insert

from app.db.models import FxRate, Setting
from app.domain.quotes import QuoteSource, QuoteState
from app.env import Env
from app.services.market.closing_quotes import list_closing_quotes
from tests.factories import make_bars, make_instrument, make_sessions, make_split

AT = datetime(2026, 1, 1, tzinfo=UTC)


async def make_rates(env: Env, rates: dict[str, str], source: str = "yahoo") -> None:
    async with env.db.write() as db:
        await db.execute(
            insert(FxRate),
            [
                {
                    "base": "USD",
                    "quote": "KRW",
                    "day": date.fromisoformat(day),
                    "rate": Decimal(rate),
                    "source": source,
                    "fetched_at": AT,
                }
                for day, rate in rates.items()
            ],
        )


async def test_the_last_close_with_the_one_before_and_the_instant_of_the_close(env: Env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [10, 11, 12.5], source="yahoo")
    await make_sessions(env, "XNAS", days)
    item = (await list_closing_quotes(env, ["AAPL", "NONE"]))["AAPL"]
    quote = item.quote
    assert (quote.price, quote.previous_close, quote.day) == (Decimal("12.5"), 11, days[-1])
    assert quote.at == datetime(2025, 1, 8, 21, tzinfo=UTC)
    assert (quote.source, quote.state) == (QuoteSource.YAHOO, QuoteState.CLOSED)
    assert item.mic == "XNAS"
    assert str(quote.price) == "12.5"


async def test_a_day_without_a_close_is_passed_over(env: Env):
    await make_instrument(env, "005930.KS")
    days = await make_bars(env, "005930.KS", [71000, 71200, None], source="yahoo")
    quote = (await list_closing_quotes(env, ["005930.KS"]))["005930.KS"].quote
    assert (str(quote.price), str(quote.previous_close), quote.day) == ("71200", "71000", days[1])
    assert quote.at == datetime(2025, 1, 7, tzinfo=UTC)


async def test_the_close_before_a_split_is_on_the_new_basis(env: Env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100, 400, 101], source="yahoo")
    await make_split(env, "AAPL", days[2], 4)
    await make_split(env, "AAPL", days[1], 2)
    quote = (await list_closing_quotes(env, ["AAPL"]))["AAPL"].quote
    assert (quote.previous_close, quote.change) == (100, 1)


async def test_a_first_bar_has_no_close_before_it_and_no_bar_makes_no_quote(env: Env):
    await make_instrument(env, "AAPL")
    await make_instrument(env, "MSFT")
    await make_bars(env, "AAPL", [10], source="yahoo")
    quotes = await list_closing_quotes(env, ["AAPL", "MSFT"])
    assert set(quotes) == {"AAPL"}
    assert quotes["AAPL"].quote.previous_close is None
    assert await list_closing_quotes(env, []) == {}


async def test_a_currency_pair_has_its_last_rate(env: Env):
    await make_instrument(env, "USDKRW=X", kind="FX")
    await make_rates(env, {"2026-01-02": "1440.1", "2026-01-05": "1451.25"})
    item = (await list_closing_quotes(env, ["USDKRW=X"]))["USDKRW=X"]
    assert (str(item.quote.price), str(item.quote.previous_close)) == ("1451.25", "1440.1")
    assert item.quote.at == datetime(2026, 1, 5, tzinfo=UTC)
    assert item.mic == "CCY"


async def test_the_sample_shows_nothing_of_the_replayed_day_or_later(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    await make_instrument(sample_env, "USDKRW=X", kind="FX")
    days = await make_bars(sample_env, "AAPL", [10, 11, 12, 13])
    rates = {str(day): str(1000 + i) for i, day in enumerate(days)}
    await make_rates(sample_env, rates, source="sample")
    async with sample_env.db.write() as db:
        value = {"day": days[2].isoformat(), "step": 1}
        await db.execute(insert(Setting).values(key="replay", value=value))
    quotes = await list_closing_quotes(sample_env, ["AAPL", "USDKRW=X"])
    assert {s: (i.quote.price, i.quote.day) for s, i in quotes.items()} == {
        "AAPL": (11, days[1]),
        "USDKRW=X": (1001, days[1]),
    }
    assert {item.quote.state for item in quotes.values()} == {QuoteState.HISTORIC}
    assert {item.quote.source for item in quotes.values()} == {QuoteSource.SAMPLE}


async def test_before_the_replay_begins_its_first_day_is_the_horizon(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", list(range(10, 270)))
    quote = (await list_closing_quotes(sample_env, ["AAPL"]))["AAPL"].quote
    assert quote.day == days[-251]
