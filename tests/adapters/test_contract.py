"""The contract of a price source: whatever the other side does, one answer of the right kind.

Both readers of Yahoo, the folder and the Korean source are put through it; a fault that a source
cannot have (a file knows no 429) is not in its table.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from app.adapters.politeness import wait_at_most
from app.adapters.prices import (
    BAR_SCHEMA,
    DIVIDEND_SCHEMA,
    REFUSED_SCHEMA,
    SPLIT_SCHEMA,
    BadPayload,
    History,
    Intraday,
    NoData,
    NotListed,
    RateLimited,
    SourceDown,
    Tick,
    describe,
)
from app.domain.bars import PriceBasis, check_prices
from tests.adapters.subjects import (
    CODE,
    DIVIDENDS,
    IMPATIENT,
    ROWS,
    SPLITS,
    TIMEOUT,
    Subject,
    open_subject,
)
from tests.fakes.naver import FakeNaver
from tests.fakes.yahoo import FakeYahoo

SOURCES = ("yahoo", "yfinance", "folder", "krx")
pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:yfinance")
OTHER = {"folder": CODE, "krx": "005930.KS"}

WEB = {
    "429": RateLimited,
    "500": SourceDown,
    "cut": SourceDown,
    "reset": SourceDown,
    "slow": SourceDown,
    "empty": BadPayload,
    "null": BadPayload,
    "truncated": BadPayload,
}
YAHOO = {"currency": BadPayload, "symbol": BadPayload, "lengths": BadPayload, "nan": BadPayload}
FAULTS = {
    "yahoo": WEB | YAHOO | {"html": BadPayload, "401": SourceDown, "unordered": BadPayload},
    # the library shows neither the status nor the headers of an answer
    "yfinance": WEB | YAHOO | {"html": SourceDown, "401": BadPayload, "unordered": History},
    "krx": WEB | {"html": BadPayload, "401": SourceDown, "huge": BadPayload},
    "folder": {
        "truncated": BadPayload,
        "empty": BadPayload,
        "null": NoData,
        "html": BadPayload,
        "lengths": BadPayload,
        "types": BadPayload,
    },
}


@pytest.fixture(params=SOURCES)
async def subject(
    request: pytest.FixtureRequest, yahoo: FakeYahoo, naver: FakeNaver, tmp_path: Path
) -> AsyncIterator[Subject]:
    async with open_subject(request.param, yahoo, naver, tmp_path) as subject:
        yield subject


def there(answer: object) -> History:
    assert isinstance(answer, History), answer
    return answer


def plain(bars: pl.DataFrame) -> list[tuple[object, ...]]:
    return bars.drop("adj_close").rows()


async def test_prices_are_as_traded_and_events_stand_apart(subject: Subject) -> None:
    found = there(await subject.source.history(CODE))
    assert found.basis is PriceBasis.AS_TRADED
    assert plain(found.bars) == ROWS
    assert found.splits.rows() == SPLITS
    if subject.events:
        assert found.dividends.rows() == DIVIDENDS


async def test_frames_have_their_columns_whatever_is_in_them(subject: Subject) -> None:
    found = there(await subject.source.history(CODE, start=date(2013, 2, 27)))
    assert found.bars.schema == BAR_SCHEMA
    assert found.splits.schema == SPLIT_SCHEMA
    assert found.dividends.schema == DIVIDEND_SCHEMA
    assert found.refused.schema == REFUSED_SCHEMA


async def test_what_it_is_is_told(subject: Subject) -> None:
    info = there(await subject.source.history(CODE)).info
    assert (info.symbol, info.mic, info.currency, info.kind) == (CODE, "XKRX", "KRW", "EQUITY")


async def test_both_ends_of_a_span_are_in_it(subject: Subject) -> None:
    found = there(
        await subject.source.history(CODE, start=date(2013, 2, 22), end=date(2013, 2, 25))
    )
    assert plain(found.bars) == ROWS[1:3]
    assert found.splits.rows() == SPLITS
    early = there(await subject.source.history(CODE, end=date(2013, 2, 22)))
    assert plain(early.bars) == ROWS[:2]  # the later split is known
    assert early.splits.is_empty()


async def test_a_span_without_sessions_is_no_data(subject: Subject) -> None:
    late = await subject.source.history(CODE, start=date(2013, 2, 28), end=date(2013, 3, 1))
    early = await subject.source.history(CODE, end=date(1999, 1, 1))
    assert isinstance(late, NoData)
    assert isinstance(early, NoData)


@pytest.mark.parametrize("price", [None, 0.0])
async def test_a_halt_is_a_row_without_open_and_with_volume_zero(
    subject: Subject, price: float | None
) -> None:
    halted = (date(2013, 2, 26), price, price, price, 10_400.0, 0)
    subject.plant([*ROWS[:3], halted, ROWS[4]])
    found = there(await subject.source.history(CODE))
    assert plain(found.bars)[3] == (date(2013, 2, 26), None, None, None, 10_400.0, 0)
    assert found.bars.select(r=check_prices())["r"].to_list()[3] == "halted: no open and no volume"
    assert found.rejected == []


async def test_a_row_without_price_and_volume_is_left_out(subject: Subject) -> None:
    nothing = (date(2013, 2, 26), None, None, None, None, None)
    subject.plant([*ROWS[:3], nothing, ROWS[4]])
    found = there(await subject.source.history(CODE))
    assert date(2013, 2, 26) not in found.bars["day"].to_list()
    assert subject.name in {"krx", "folder"} or found.rejected == []


async def test_a_row_that_is_no_bar_is_refused_with_what_it_held(subject: Subject) -> None:
    wrong = (date(2013, 2, 26), 10_300.0, 10_200.0, 10_100.0, 10_250.0, 7)
    subject.plant([*ROWS[:3], wrong, ROWS[4]])
    found = there(await subject.source.history(CODE))
    assert found.rejected == [(date(2013, 2, 26), "the high is below another price")]
    assert found.refused.drop("adj_close", "reason").rows() == [wrong]
    assert plain(found.bars) == [*ROWS[:3], ROWS[4]]


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in SOURCES for kind in FAULTS[name]]
)
async def test_every_fault_has_an_answer_of_its_kind(
    name: str, kind: str, yahoo: FakeYahoo, naver: FakeNaver, tmp_path: Path
) -> None:
    timeout = IMPATIENT if kind == "slow" else TIMEOUT
    async with open_subject(name, yahoo, naver, tmp_path, timeout) as subject:
        subject.fault(kind, delay=30.0)
        found = await subject.source.history(CODE)
        assert isinstance(found, FAULTS[name][kind]), found
        if not isinstance(found, History):
            assert describe(found)


@pytest.mark.parametrize("name", ["yahoo", "krx"])
async def test_retry_after_is_kept_and_the_host_left_alone(
    name: str, yahoo: FakeYahoo, naver: FakeNaver, tmp_path: Path
) -> None:
    async with open_subject(name, yahoo, naver, tmp_path) as subject:
        subject.fault("429", retry_after=17)
        assert await subject.source.history(CODE) == RateLimited(17.0)
        with wait_at_most(0):  # this clock stands: the rest would never be over
            other = await subject.source.history(OTHER.get(name, "IBM"))
        assert other == RateLimited(17.0)
        assert len(yahoo.log()) + len(naver.log) == 1
        assert subject.source.state().limited


async def test_an_unknown_symbol_is_not_listed_whatever_is_asked(subject: Subject) -> None:
    assert await subject.source.history("999990.KS") == NotListed("999990.KS")
    assert await subject.source.intraday("999990.KS", minutes=5, days=1) == NotListed("999990.KS")
    assert await subject.source.quotes(["999990.KS"]) == {"999990.KS": NotListed("999990.KS")}


@pytest.mark.parametrize("symbol", ["", "a b", "../x", "..", "A/B", "C:\\X", "애플", "A" * 25])
async def test_what_cannot_be_a_symbol_is_not_listed(subject: Subject, symbol: str) -> None:
    assert await subject.source.history(symbol) == NotListed(symbol)
    assert await subject.source.quotes([symbol]) == {symbol: NotListed(symbol)}


async def test_half_a_batch_of_quotes_is_half_of_it_right(subject: Subject) -> None:
    bad = {"folder": "BAD", "krx": "000660.KS"}.get(subject.name, "IBM")
    if subject.name == "folder":
        (subject.folder / "BAD.csv").write_text("<html>")
    else:
        subject.fault("500", bad)
    found = await subject.source.quotes([CODE, bad, "999990.KS"])
    assert list(found) == [CODE, bad, "999990.KS"]
    good = found[CODE]
    assert isinstance(good, Tick)
    assert (good.price, good.at.date()) == (10_500.0, date(2013, 2, 27))
    assert isinstance(found[bad], BadPayload if subject.name == "folder" else SourceDown)
    assert isinstance(found["999990.KS"], NotListed)


async def test_bars_within_the_day_or_the_reason_why_not(subject: Subject) -> None:
    opened = int(datetime(2013, 2, 27, 1, tzinfo=UTC).timestamp())
    prices = [10_400.0, 10_600.0, 10_300.0, 10_500.0, 100]
    subject.yahoo.set(CODE, intraday=[[opened + 300 * n, *prices] for n in range(3)])
    found = await subject.source.intraday(CODE, minutes=5, days=2)
    assert isinstance(found, Intraday if 5 in subject.source.minutes else NoData)
    assert subject.source.live is (subject.name in {"yahoo", "yfinance"})
    assert isinstance(await subject.source.intraday(CODE, minutes=7, days=2), NoData)


async def test_instruments_are_found_by_name(subject: Subject) -> None:
    if subject.name == "folder":
        head = "symbol,name,exchange,name_local\n"
        (subject.folder / "instruments.csv").write_text(f"{head}{CODE},Contract Co.,XKRX,계약\n")
    words = "계약" if subject.name == "krx" else "contract"
    found = await subject.source.search(words, count=5)
    assert [info.symbol for info in found] == [CODE]
    assert await subject.source.search("  ") == []
    assert await subject.source.search("zzzzzz") == []


async def test_a_profile_names_it(subject: Subject) -> None:
    found = await subject.source.profile(CODE)
    assert (found.info.symbol, found.info.mic) == (CODE, "XKRX")
    assert await subject.source.profile("999990.KS") == NotListed("999990.KS")


async def test_after_a_fault_it_recovers_by_itself(subject: Subject) -> None:
    if subject.name == "folder":
        subject.fault("types")
    else:
        subject.fault("500")
    assert not isinstance(await subject.source.history(CODE), History)
    subject.yahoo.clear_faults()
    subject.naver.clear_faults()
    subject.plant()
    assert plain(there(await subject.source.history(CODE)).bars) == ROWS
