"""The order of sources: by exchange, by mode, and by what a process has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.worker_sources import make_worker_sources
from app.config import load_settings
from app.env import Env
from app.errors import Unavailable
from app.services.settings import choose_source
from app.services.source_order import OTHER_PROVIDERS, find_order, guess_exchange, list_sources


async def ordered(env: Env, order: str) -> Env:
    """A live installation with that order, in a worker."""
    await choose_source(env, "yahoo")
    settings = replace(
        env.settings, source_order=load_settings({"SISE_SOURCE_ORDER": order}).source_order
    )
    return replace(env, settings=settings)


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
