"""Yahoo's search read strictly."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.adapters.prices import BadPayload, RateLimited
from app.adapters.yahoo import YahooSource
from app.adapters.yahoo_parse import Malformed
from app.adapters.yahoo_search import read_search
from app.clock import Clock
from tests.fakes.yahoo import FakeYahoo

APPLE = {
    "symbol": "AAPL",
    "exchange": "NMS",
    "quoteType": "EQUITY",
    "longname": " Apple  Inc. ",
    "sector": "Technology",
    "industry": "Consumer Electronics",
}


def hits(*entries: Any) -> list[Any]:
    return read_search(orjson.dumps({"quotes": entries}))


def test_a_hit_is_what_the_instrument_is() -> None:
    (hit,) = hits(APPLE)
    assert (hit.info.symbol, hit.info.name, hit.info.name_local) == ("AAPL", "Apple Inc.", "애플")
    assert (hit.info.mic, hit.info.currency, hit.info.kind) == ("XNAS", "USD", "EQUITY")
    assert (hit.sector, hit.industry) == ("Technology", "Consumer Electronics")


@pytest.mark.parametrize(
    ("symbol", "exchange", "kind", "currency"),
    [
        ("005930.KS", "KSC", "EQUITY", "KRW"),
        ("247540.KQ", "KOE", "EQUITY", "KRW"),
        ("USDKRW=X", "CCY", "CURRENCY", "KRW"),
        ("SPY", "PCX", "ETF", "USD"),
    ],
)
def test_the_currency_is_that_of_the_market(
    symbol: str, exchange: str, kind: str, currency: str
) -> None:
    (hit,) = hits({"symbol": symbol, "exchange": exchange, "quoteType": kind})
    assert (hit.info.currency, hit.info.name) == (currency, symbol)
    assert (hit.sector, hit.industry) == (None, None)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "not listed"},
        APPLE | {"exchange": "FRA"},
        APPLE | {"quoteType": "FUTURE"},
        APPLE | {"symbol": "../x"},
        APPLE | {"symbol": 5},
        {"symbol": "EURJPY=X", "exchange": "CCY", "quoteType": "CURRENCY"},
    ],
)
def test_what_is_not_supported_is_left_out(entry: dict[str, Any]) -> None:
    assert [hit.info.symbol for hit in hits(entry, APPLE)] == ["AAPL"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"quotes": {}}'])
def test_what_is_no_answer_is_named(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_search(body)
    with pytest.raises(Malformed, match="no object"):
        hits("x")


async def test_a_search_goes_to_the_server_and_its_faults_are_answers(yahoo: FakeYahoo) -> None:
    source = YahooSource(yahoo.url, now=Clock().now, pause=0.001)
    found = await source.search("  samsung   electronics ")
    assert isinstance(found, list)
    assert [info.symbol for info in found] == ["005930.KS"]
    assert yahoo.log("search")[0]["query"]["q"] == "samsung electronics"
    assert len(await source.search("inc", count=2)) == 2  # type: ignore[arg-type]
    assert await source.search("삼성") == []
    yahoo.fault("search", "html")
    assert isinstance(await source.search("apple"), BadPayload)
    yahoo.clear_faults()
    yahoo.fault("search", "429", retry_after=30)
    assert await source.search("apple") == RateLimited(30)
    assert await source.history("AAPL") == RateLimited(pytest.approx(30, abs=1))
    await source.close()
