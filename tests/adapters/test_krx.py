"""Korean prices and names over real sockets, from a local Naver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from app.adapters.krx import KrxSource, find_code
from app.adapters.politeness import Politeness
from app.adapters.prices import SPLIT_SCHEMA, History, NotListed, Tick
from app.domain.bars import PriceBasis
from tests.fakes.naver import FakeNaver


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2013, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def now() -> Moment:
    return Moment()


@pytest.fixture
async def source(naver: FakeNaver, now: Moment) -> AsyncIterator[KrxSource]:
    source = KrxSource(naver.url, now=now, host=Politeness(now=now, pause=0.001))
    yield source
    await source.close()


def there(answer: object) -> History:
    assert isinstance(answer, History), answer
    return answer


async def test_prices_equal_what_was_traded_where_there_was_no_split(
    source: KrxSource, naver: FakeNaver
) -> None:
    found = there(await source.history("005930.KS"))
    assert found.basis is PriceBasis.SPLIT_ADJUSTED
    assert found.info.name_local == "삼성전자"
    traded = naver.listings["005930.KS"].bars
    assert found.bars.drop("adj_close").rows() == traded.rows()


async def test_known_splits_turn_the_prices_back(source: KrxSource, naver: FakeNaver) -> None:
    listing = naver.listings["000660.KS"]
    day = date(2013, 1, 15)
    naver.set(replace(listing, splits={day: (50.0, 1.0)}))
    adjusted = there(await source.history("000660.KS"))
    splits = pl.DataFrame([(day, 50.0, 1.0)], schema=SPLIT_SCHEMA, orient="row")
    found = there(await source.history("000660.KS", splits=splits))
    naver.set(listing)
    assert found.basis is PriceBasis.AS_TRADED
    before = pl.col("day") < day
    off = found.bars.filter(before)["close"] - listing.bars.filter(before)["close"]
    assert off.abs().max() <= 25  # whole won of today's shares, times 50
    assert (
        found.bars.filter(~before)
        .drop("adj_close")
        .equals(adjusted.bars.filter(~before).drop("adj_close"))
    )


async def test_only_as_many_rows_are_asked_for_as_the_span_needs(
    source: KrxSource, naver: FakeNaver
) -> None:
    await source.history("005930.KS", start=date(2013, 2, 20))
    await source.history("005930.KS")
    assert [query["count"] for _, query in naver.log] == ["11", "6000"]


async def test_the_row_of_today_is_left_out_until_all_markets_have_closed(
    source: KrxSource, now: Moment
) -> None:
    last = date(2013, 2, 28)
    now.time = datetime(2013, 2, 28, 11, 0, tzinfo=UTC)  # 20:00 in Seoul
    assert there(await source.history("005930.KS")).bars["day"].max() < last
    now.time = datetime(2013, 2, 28, 11, 11, tzinfo=UTC)
    assert there(await source.history("005930.KS")).bars["day"].max() == last


async def test_a_quote_is_the_newest_settled_close(source: KrxSource) -> None:
    found = await source.quotes(["005930.KS", "AAPL"])
    close = datetime(2013, 2, 28, 6, 30, tzinfo=UTC)
    assert found == {
        "005930.KS": Tick("005930.KS", 203_000, close, previous_close=201_000, volume=3308300),
        "AAPL": NotListed("AAPL"),
    }


async def test_an_index_is_an_index(source: KrxSource) -> None:
    found = there(await source.history("^KS11", start=date(2013, 2, 1)))
    assert found.info.kind == "INDEX"


async def test_names_are_found_in_korean(source: KrxSource) -> None:
    found = await source.search("하이닉스")
    assert isinstance(found, list)
    assert [(info.symbol, info.name_local) for info in found] == [("000660.KS", "SK하이닉스")]


async def test_a_listing_is_read_page_by_page(
    source: KrxSource, naver: FakeNaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.krx._PAGE", 2)
    found = await source.listing("KOSPI")
    assert isinstance(found, list)
    assert {info.symbol for info in found} >= {"005930.KS", "000660.KS", "069500.KS"}
    assert len([entry for entry in naver.log if entry[0] == "listing"]) == 2
    assert await source.listing("NASDAQ") == NotListed("NASDAQ")
    assert await source.listing("KOSDAQ") == []


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("005930.KS", "005930"),
        ("247540.KQ", "247540"),
        ("00088K.KS", "00088K"),
        ("^KS11", "KOSPI"),
        ("^KQ11", "KOSDAQ"),
        ("AAPL", None),
        ("5930.KS", None),
        ("005930", None),
        ("005930.KS\n", None),
        ("^GSPC", None),
    ],
)
def test_a_code_is_that_of_a_korean_symbol(symbol: str, code: str | None) -> None:
    assert find_code(symbol) == code
