"""The chart API over real sockets: as traded prices, every fault as a typed answer, retries, waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import polars as pl
import pytest

from app.adapters.politeness import wait_at_most
from app.adapters.prices import (
    BadPayload,
    Failure,
    History,
    Intraday,
    NoData,
    NotListed,
    RateLimited,
    SourceDown,
    Tick,
)
from app.adapters.sample import SampleSource
from app.adapters.yahoo import YahooSource
from tests.fakes.yahoo import FakeYahoo, start_fake_yahoo

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
NEEDS_REAL = pytest.mark.skipif(
    not REAL.is_dir(), reason="NO REAL PRICES: ../shared/data is absent"
)


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2013, 3, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def now() -> Moment:
    return Moment()


@pytest.fixture
async def source(yahoo: FakeYahoo, now: Moment) -> AsyncIterator[YahooSource]:
    """The adapter as it is in production: through libcurl."""
    source = YahooSource(yahoo.url, now=now, timeout=30, pause=0.001)
    yield source
    await source.close()


@pytest.fixture(params=["libcurl", "plain"])
async def either(
    yahoo: FakeYahoo, now: Moment, request: pytest.FixtureRequest
) -> AsyncIterator[YahooSource]:
    """The adapter by its own transport, and by a plain one."""
    transport = httpx.AsyncHTTPTransport() if request.param == "plain" else None
    source = YahooSource(yahoo.url, now=now, transport=transport, timeout=30, pause=0.001)
    yield source
    await source.close()


def there(answer: History | Failure) -> History:
    """A history that must be there."""
    assert isinstance(answer, History), answer
    return answer


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
async def test_split_adjusted_floats_come_back_as_the_prices_traded(
    source: YahooSource, symbol: str
) -> None:
    """The fake sends prices / later splits as 32-bit floats; all 12,154 rows return to the cent."""
    found = there(await source.history(symbol))
    traded = there(await SampleSource().history(symbol))
    assert found.bars.drop("adj_close").equals(traded.bars.drop("adj_close"))
    assert found.splits.equals(traded.splits)
    assert found.dividends.equals(traded.dividends)
    assert found.rejected == []


async def test_all_defaults_are_understood(source: YahooSource, yahoo: FakeYahoo) -> None:
    infos = [there(await source.history(symbol)).info for symbol in yahoo.symbols()]
    assert {i.symbol: (i.mic, i.currency, i.kind) for i in infos} == {
        "005930.KS": ("XKRX", "KRW", "EQUITY"),
        "000660.KS": ("XKRX", "KRW", "EQUITY"),
        "035420.KS": ("XKRX", "KRW", "EQUITY"),
        "069500.KS": ("XKRX", "KRW", "ETF"),
        "^KS11": ("XKRX", "KRW", "INDEX"),
        "^KQ11": ("XKRX", "KRW", "INDEX"),
        "AAPL": ("XNAS", "USD", "EQUITY"),
        "FB": ("XNAS", "USD", "EQUITY"),
        "GOOG": ("XNAS", "USD", "EQUITY"),
        "IBM": ("XNYS", "USD", "EQUITY"),
        "MSFT": ("XNAS", "USD", "EQUITY"),
        "NVDA": ("XNAS", "USD", "EQUITY"),
        "TSLA": ("XNAS", "USD", "EQUITY"),
        "SPY": ("ARCX", "USD", "ETF"),
        "^GSPC": ("XNYS", "USD", "INDEX"),
        "^IXIC": ("XNAS", "USD", "INDEX"),
        "USDKRW=X": ("CCY", "KRW", "FX"),
    }
    assert {i.symbol: i.name_local for i in infos}["005930.KS"] == "삼성전자"


async def test_a_rate_has_its_close_alone(source: YahooSource) -> None:
    found = there(await source.history("USDKRW=X", start=date(2013, 3, 1)))
    assert found.bars.drop("adj_close").rows() == [
        (date(2013, 3, 1), None, None, None, 1088.89, None)
    ]


async def test_a_span_is_multiplied_by_the_splits_after_it(source: YahooSource) -> None:
    found = there(await source.history("AAPL", start=date(2000, 6, 19), end=date(2000, 6, 20)))
    assert found.bars["close"].to_list() == [96.62, 101.25]
    assert found.splits.is_empty()


async def test_a_later_split_changes_no_bar_as_traded(
    source: YahooSource, yahoo: FakeYahoo, now: Moment
) -> None:
    before = there(await source.history("IBM", start=date(2013, 2, 1)))
    yahoo.set("IBM", splits={"2013-03-04": [3, 1]}, bars=[["2013-03-04", 67, 68, 66, 67.5, 900]])
    now.move(86_400)
    after = there(await source.history("IBM", start=date(2013, 2, 1)))
    last = pl.col("day") < date(2013, 3, 4)
    assert after.splits.rows() == [(date(2013, 3, 4), 3, 1)]
    assert after.bars.filter(last).drop("adj_close").equals(before.bars.drop("adj_close"))


async def test_a_live_row_replaces_the_provisional_one_of_its_day(
    source: YahooSource, yahoo: FakeYahoo
) -> None:
    at = int(datetime(2013, 3, 1, 20, 59, 3, tzinfo=UTC).timestamp())
    live = {"open": 438.0, "high": 439.5, "low": 430.0, "close": 431.25, "volume": 99}
    yahoo.set("AAPL", live={"at": at, **live})
    found = there(await source.history("AAPL", start=date(2013, 2, 28)))
    assert found.bars["day"].to_list() == [date(2013, 2, 28), date(2013, 3, 1)]
    assert found.bars.drop("adj_close").row(-1) == (date(2013, 3, 1), *live.values())


@pytest.mark.parametrize(
    ("kind", "answer", "requests"),
    [
        ("500", SourceDown("the answer was 503"), 3),
        ("401", SourceDown("the answer was 401"), 3),
        ("429", RateLimited(60.0), 1),
        ("empty", BadPayload("chart.result is not a list of one result"), 1),
        ("null", BadPayload("chart.result is not a list of one result"), 1),
        ("lengths", BadPayload("close has not one value for each of 8 timestamps"), 1),
        ("unordered", BadPayload("the timestamps are not in order"), 1),
        ("types", BadPayload("open holds '200.6199951171875'"), 1),
        ("currency", BadPayload("IBM is in GBp; USD was expected"), 1),
        ("symbol", BadPayload("asked for IBM, got OTHER"), 1),
        ("huge", BadPayload("the answer is larger than 32 MB"), 1),
    ],
)
async def test_every_fault_has_its_answer(
    either: YahooSource, yahoo: FakeYahoo, kind: str, answer: Failure, requests: int
) -> None:
    yahoo.fault("IBM", kind)
    assert await either.history("IBM", start=date(2013, 2, 21)) == answer
    assert len(yahoo.log("IBM")) == requests


@pytest.mark.parametrize("kind", ["html", "truncated"])
async def test_what_is_no_json_is_a_bad_payload(
    either: YahooSource, yahoo: FakeYahoo, kind: str
) -> None:
    yahoo.fault("IBM", kind)
    found = await either.history("IBM")
    assert isinstance(found, BadPayload)
    assert found.detail.startswith("no JSON: unexpected")


async def test_a_broken_connection_is_tried_three_times(
    either: YahooSource, yahoo: FakeYahoo
) -> None:
    yahoo.fault("IBM", "cut")
    assert isinstance(await either.history("IBM"), SourceDown)
    assert len(yahoo.log("IBM")) == 3


async def test_a_server_that_recovers_is_not_noticed(either: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fault("IBM", "500", times=2)
    assert isinstance(await either.history("IBM"), History)
    assert len(yahoo.log("IBM")) == 3


async def test_a_slow_answer_is_given_up(yahoo: FakeYahoo, now: Moment) -> None:
    source = YahooSource(yahoo.url, now=now, timeout=0.1, pause=0.001)
    yahoo.fault("IBM", "held")
    assert await source.history("IBM") == SourceDown("no answer within 0.1 s")
    await source.close()


@pytest.mark.parametrize("plain", [False, True])
async def test_nobody_at_the_address_is_a_source_that_is_down(now: Moment, plain: bool) -> None:
    transport = httpx.AsyncHTTPTransport() if plain else None
    source = YahooSource("http://127.0.0.1:1", now=now, transport=transport, pause=0.001)
    found = await source.history("IBM")
    assert isinstance(found, SourceDown)
    assert found.detail.startswith("ConnectError: ")
    await source.close()


async def test_a_row_without_prices_is_left_out_silently(
    source: YahooSource, yahoo: FakeYahoo
) -> None:
    yahoo.fault("IBM", "nulls")
    found = there(await source.history("IBM", start=date(2013, 2, 27)))
    assert found.bars["day"].to_list() == [date(2013, 2, 27), date(2013, 2, 28)]
    assert found.rejected == []


async def test_a_row_that_is_no_bar_is_named(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.set("IBM", bars=[["2013-02-28", 201, 200, 199, 200, 7], ["2013-02-27", 1, None, 1, 1, 1]])
    yahoo.fault("IBM", "negative")
    found = there(await source.history("IBM", start=date(2013, 2, 26)))
    assert found.bars["day"].to_list() == [date(2013, 2, 26)]
    assert found.rejected == [
        (date(2013, 2, 27), "incomplete: a price is missing"),
        (date(2013, 2, 28), "the high is below another price"),
        (date(2013, 3, 1), "a price is not a number above zero"),
    ]


async def test_an_unknown_symbol_is_not_listed(either: YahooSource, yahoo: FakeYahoo) -> None:
    assert await either.history("NOPE") == NotListed("NOPE")
    assert len(yahoo.log()) == 1


@pytest.mark.parametrize("symbol", ["", "aapl", "A/B", "애플", "A B", "A?x=1", "A" * 25, "../X"])
async def test_what_cannot_be_a_symbol_is_not_even_asked_for(
    yahoo: FakeYahoo, now: Moment, symbol: str
) -> None:
    source = YahooSource(yahoo.url, now=now)
    assert await source.history(symbol) == NotListed(symbol)
    assert yahoo.log() == []
    await source.close()


async def test_nothing_new_is_no_data(source: YahooSource) -> None:
    found = await source.history("FB", start=date(2013, 3, 3))
    assert found == NoData("no daily prices of FB")
    early = await source.history("FB", end=date(2001, 1, 1))
    assert early == NoData("no daily prices of FB from None to 2001-01-01")


async def test_before_the_first_day_yahoo_says_so(source: YahooSource, now: Moment) -> None:
    now.time = datetime(2001, 1, 1, tzinfo=UTC)
    found = await source.history("FB")
    assert isinstance(found, NoData)
    assert found.detail.startswith("Data doesn't exist for startDate")


async def test_an_exchange_elsewhere_is_refused_in_words(
    source: YahooSource, yahoo: FakeYahoo
) -> None:
    yahoo.set("7203.T", like="IBM", exchange="JPX", currency="JPY", zone="Europe/London")
    assert await source.history("7203.T") == BadPayload(
        "exchange JPX is not supported: Korean and US exchanges only"
    )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (None, 60), ("soon", 60), ("0", 1), ("999999", 3600)],
)
async def test_after_a_429_nothing_is_sent_until_the_time_has_passed(
    source: YahooSource, yahoo: FakeYahoo, now: Moment, header: str | None, seconds: float
) -> None:
    yahoo.fault("IBM", "429", times=1, retry_after=header)
    assert await source.history("IBM") == RateLimited(seconds)
    now.move(seconds - 0.5)
    with wait_at_most(0):  # this clock stands: half a second would never pass
        assert await source.history("AAPL") == RateLimited(0.5)
        assert await source.quotes(["FB"]) == {"FB": RateLimited(0.5)}
    assert len(yahoo.log()) == 1
    now.move(0.5)
    assert isinstance(await source.history("AAPL"), History)


async def test_retry_after_may_be_a_date(
    source: YahooSource, yahoo: FakeYahoo, now: Moment
) -> None:
    until = format_datetime(now() + timedelta(seconds=90), usegmt=True)
    yahoo.fault("IBM", "429", retry_after=until)
    assert await source.history("IBM") == RateLimited(90)


async def test_at_most_four_requests_run_at_a_time(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.set_latency(0.2)
    symbols = yahoo.symbols()[:12]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(source.history(symbol)) for symbol in symbols]
    assert all(isinstance(task.result(), History) for task in tasks)
    begun = [entry["at"] for entry in yahoo.log()]
    assert len(begun) == 12
    assert all(later - earlier > 0.15 for earlier, later in zip(begun, begun[4:], strict=False))


async def test_quotes_are_the_newest_prices(either: YahooSource, yahoo: FakeYahoo) -> None:
    at = datetime(2013, 3, 4, 15, 30, tzinfo=UTC)
    yahoo.tick("AAPL", 423.31, previous_close=430.47, at=at, volume=1234)
    found = await either.quotes(["AAPL", "005930.KS", "NOPE"])
    close = datetime(2013, 2, 28, 6, 30, tzinfo=UTC)
    assert found == {
        "AAPL": Tick("AAPL", 423.31, at, previous_close=430.47, volume=1234),
        "005930.KS": Tick("005930.KS", 203_000, close, previous_close=201_000, volume=3308300),
        "NOPE": NotListed("NOPE"),
    }


async def test_bars_within_the_day_are_those_of_the_last_sessions(
    source: YahooSource, yahoo: FakeYahoo, now: Moment
) -> None:
    opens = [datetime(2013, 2, day, 14, 30, tzinfo=UTC) for day in (26, 27, 28)]
    rows = [
        [int(at.timestamp()) + 300 * n, 10.25, 10.5, 10.125, 10.375 + n, 100]
        for at in opens
        for n in range(3)
    ]
    rows[4][4] = None
    yahoo.set("AAPL", intraday=rows)
    now.time = datetime(2013, 2, 28, 20, tzinfo=UTC)
    found = await source.intraday("AAPL", minutes=5, days=2)
    assert isinstance(found, Intraday)
    assert found.bars["at"].dt.day().to_list() == [27, 28]
    assert found.bars["close"].to_list() == [10.375, 10.375]
    assert found.bars.row(0)[0] == opens[1]


async def test_bars_within_the_day_may_be_missing(source: YahooSource) -> None:
    found = await source.intraday("AAPL", minutes=5, days=5)
    assert isinstance(found, NoData)
    assert found.detail.startswith("5m data not available")
    odd = await source.intraday("AAPL", minutes=7, days=5)
    assert odd == NoData("there are no bars of 7 minutes, but of (1, 5, 15, 60)")


@NEEDS_REAL
async def test_real_prices_of_twelve_years_come_back_as_traded(now: Moment) -> None:
    """Splits of 4, 5, 3 and 10 for one, closes as another vendor saw them traded."""
    now.time = datetime(2026, 3, 14, tzinfo=UTC)
    seen = pl.read_parquet(REAL / "wide/bars_us_astraded_2016_2021.parquet")
    with start_fake_yahoo(str(REAL / "small")) as yahoo:
        source = YahooSource(yahoo.url, now=now)
        for symbol, splits in {"AAPL": 1, "TSLA": 2, "NVDA": 2, "MSFT": 0}.items():
            found = there(await source.history(symbol))
            assert len(found.splits) == splits
            theirs = seen.filter(pl.col("ticker") == symbol).rename({"date": "day"})
            both = found.bars.join(theirs, on="day", suffix="_seen")
            off = (both["close"] - both["close_seen"]).abs()
            assert len(both) > 1250
            assert (off > 0.005).sum() <= 1
        samsung = there(await source.history("005930.KS"))
        assert samsung.bars["close"].round().equals(samsung.bars["close"])
        assert samsung.bars["day"].dt.weekday().max() == 5
        await source.close()
