"""Search at the sources: names in two languages, codes, what is watched, who does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.adapters.folder import FolderSource
from app.env import Env
from app.errors import BadInput
from app.services.market import symbol_search
from app.services.market.symbol_search import search_sources
from app.services.settings import choose_source
from tests.factories import make_instrument, with_order


@pytest.fixture
async def chosen(env: Env) -> Env:
    """An installation that asks Yahoo."""
    await choose_source(env, "yahoo")
    return env


async def symbols(env: Env, query: str, first: int = 10) -> list[str]:
    return [hit.symbol for hit in (await search_sources(env, query, first)).hits]


async def test_an_english_name_is_looked_for_at_yahoo_alone(chosen, yahoo, naver):
    found = await search_sources(chosen, " apple ")
    assert [(hit.symbol, hit.mic, hit.kind) for hit in found.hits] == [("AAPL", "XNAS", "EQUITY")]
    assert found.silent == []
    assert naver.log == []


async def test_a_korean_name_is_looked_for_at_the_korean_source_and_in_the_table(chosen, yahoo):
    assert (await symbols(chosen, "삼성전자"))[0] == "005930.KS"
    assert "AAPL" in await symbols(
        chosen, "애플"
    )  # of the table: the Korean source has no US shares
    assert yahoo.log() == []


async def test_a_code_is_looked_for_at_both(chosen, yahoo, naver):
    assert "005930.KS" in await symbols(chosen, "005930")
    assert yahoo.log()
    assert naver.log


async def test_each_symbol_comes_once_and_says_whether_it_is_watched(chosen):
    await make_instrument(chosen, "005930.KS")
    found = (await search_sources(chosen, "00")).hits
    listed = [hit.symbol for hit in found]
    assert len(listed) == len(set(listed))
    assert {hit.symbol for hit in found if hit.tracked} == {"005930.KS"}
    assert len(await symbols(chosen, "00", 1)) == 1


@pytest.mark.parametrize("fault", ["429", "html"])
async def test_a_source_that_fails_is_named_and_the_other_still_answers(chosen, yahoo, fault):
    yahoo.fault("search", fault)
    found = await search_sources(chosen, "005930")
    assert found.silent == ["Yahoo Finance"]
    assert "005930.KS" in [hit.symbol for hit in found.hits]


async def test_a_reader_does_not_wait_for_a_source_that_is_slow(chosen, monkeypatch):
    async def search(*_arguments: object, **_options: object) -> list[object]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(symbol_search, "PATIENCE", 0.05)
    monkeypatch.setattr(chosen.sources["yahoo"], "search", search)
    assert (await search_sources(chosen, "apple")).silent == ["Yahoo Finance"]


async def test_the_sample_is_searched_in_itself(sample_env, yahoo):
    assert await symbols(sample_env, "machines") == ["IBM"]
    assert await symbols(sample_env, "애플") == ["AAPL"]
    assert await symbols(sample_env, "nvidia") == []
    assert yahoo.log() == []


@pytest.mark.parametrize("query", ["", "  ", "x" * 61, "a\x00b"])
async def test_words_that_are_none_are_refused(chosen, query):
    with pytest.raises(BadInput, match="1 to 60 printable characters"):
        await search_sources(chosen, query)


async def test_a_page_of_hits_has_its_bounds(chosen):
    with pytest.raises(BadInput, match="first is 51; it must be from 1 to 50"):
        await search_sources(chosen, "apple", 51)


async def test_yahoo_is_searched_only_where_an_order_has_it(chosen, yahoo, naver):
    env = with_order(chosen, "*=krx,folder")
    assert await symbols(env, "apple") == []
    assert "005930.KS" in await symbols(env, "005930")
    assert yahoo.log() == []
    mixed = with_order(chosen, "XKRX=krx;*=yahoo")
    assert "005930.KS" in await symbols(mixed, "005930")
    assert yahoo.log() == []  # a Korean code
    assert await symbols(mixed, "apple") == ["AAPL"]
    assert "005930.KS" not in await symbols(mixed, "samsung")
    assert yahoo.log()


async def test_the_folder_is_searched_where_an_order_has_it(chosen, yahoo, tmp_path):
    (tmp_path / "instruments.csv").write_text("symbol,name\nAAPL,Our apples\n")
    folder = {"folder": FolderSource(tmp_path)}
    env = replace(chosen, sources={**chosen.sources, **folder})
    assert (await search_sources(with_order(env, "*=folder"), "our")).hits[0].name == "Our apples"
    assert yahoo.log() == []
    assert [hit.name for hit in (await search_sources(env, "our")).hits] != ["Our apples"]
