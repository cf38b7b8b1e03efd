"""The order of sources: by exchange, by mode, and by what a process has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.worker_sources import make_worker_sources
from app.env import Env
from app.errors import Unavailable
from app.services.settings import choose_source
from app.services.sources.source_order import (
    OTHER_PROVIDERS,
    Reach,
    find_order,
    find_reach,
    guess_exchange,
    list_intraday,
    list_live,
    list_sources,
)
from tests.factories import with_order


async def ordered(env: Env, order: str) -> Env:
    """A live installation with that order, in a worker."""
    await choose_source(env, "yahoo")
    return with_order(env, order)


async def names(env: Env, mic: str | None, symbol: str) -> list[str]:
    return [source.name for source in await list_sources(env, mic, symbol)]


@pytest.fixture
async def worker(env: Env) -> Env:
    return replace(env, sources=make_worker_sources(env.settings))


async def test_the_usual_order_is_yahoo_and_its_second_reader(worker):
    await choose_source(worker, "yahoo")
    assert await names(worker, "XNAS", "AAPL") == ["yahoo", "yfinance"]
    assert (await find_order(worker, "XNAS", "AAPL")).providers == ["yahoo"]


async def test_an_exchange_that_is_named_has_its_own_order(worker):
    env = await ordered(worker, "XKRX=krx,yahoo; XNYS=yfinance")
    assert await names(env, "XKRX", "005930.KS") == ["krx", "yahoo"]
    assert await names(env, "XNYS", "IBM") == ["yfinance"]
    assert await names(env, "XNAS", "AAPL") == ["yahoo", "yfinance"]


async def test_a_source_that_a_process_has_not_is_passed_over(env):
    web = await ordered(env, "XKRX=yfinance,folder,krx;*=yfinance")
    order = await find_order(web, "XKRX", "005930.KS")
    assert [source.name for source in order.sources] == ["krx"]
    assert order.providers == ["yahoo", "folder", "krx"]
    assert order.of("krx") == [web.sources["krx"]]
    assert await names(web, "XNAS", "AAPL") == []
    with pytest.raises(Unavailable, match="None of the price sources yfinance can be asked here"):
        (await find_order(web, "XNAS", "AAPL")).of("yahoo")


async def test_without_an_exchange_it_is_guessed_from_the_symbol(env):
    env = await ordered(env, "XKRX=krx;CCY=yahoo,krx;*=yahoo")
    for symbol in ("005930.KS", "247540.KQ", "^KS11", "^KQ11"):
        assert await names(env, None, symbol) == ["krx"]
    assert await names(env, None, "USDKRW=X") == ["yahoo", "krx"]
    assert await names(env, None, "^GSPC") == ["yahoo"]
    assert [guess_exchange(s) for s in ("AAPL", "BRK-B", "SPY")] == ["*"] * 3


async def test_the_sample_alone_is_asked_where_it_was_chosen(sample_env):
    settings = replace(sample_env.settings, source_order={"*": ("krx",)})
    env = replace(sample_env, settings=settings)
    assert await names(env, "XKRX", "005930.KS") == ["sample"]
    assert (await find_order(env, None, "AAPL")).providers == ["sample"]


async def test_before_a_mode_is_chosen_there_is_no_order(env):
    with pytest.raises(Unavailable, match="No price source has been chosen"):
        await list_sources(env, None, "AAPL")


async def test_providers_are_told_as_the_sources_tell_them(worker):
    for name, source in worker.sources.items():
        assert source.provider == OTHER_PROVIDERS.get(name, name)


async def test_prices_within_a_session_come_from_any_reader_of_the_order(env):
    web = await ordered(env, "XKRX=krx,folder;XNYS=folder,yfinance;*=yahoo")
    for mic, found in {"XKRX": [], "XNYS": ["yahoo"], "XNAS": ["yahoo"]}.items():
        assert [source.name for source in await list_intraday(web, mic, 5)] == found
        assert [source.name for source in list_live(web, mic)] == found
    assert await find_reach(web, "XKRX") == Reach(("krx", "folder"), intraday=False, live=False)
    assert await find_reach(web, "XNYS") == Reach(("folder", "yfinance"), intraday=True, live=True)
    assert await list_intraday(web, "XNAS", 7) == []


async def test_a_worker_has_both_readers_of_yahoo_for_minutes(worker):
    env = await ordered(worker, "*=krx,yfinance")
    assert [s.name for s in await list_intraday(env, "XNAS", 15)] == ["yahoo", "yfinance"]


async def test_the_sample_has_daily_prices_only(sample_env):
    assert await find_reach(sample_env, "XNAS") == Reach(("sample",), intraday=False, live=False)
