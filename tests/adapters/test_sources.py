"""The price sources by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.folder import FolderSource
from app.adapters.krx import KrxSource
from app.adapters.sample import SampleSource
from app.adapters.sources import Hosts, make_source, make_sources
from app.adapters.yahoo import YahooSource
from app.config import load_settings

KINDS = {"yahoo": YahooSource, "sample": SampleSource, "krx": KrxSource, "folder": FolderSource}


async def test_each_name_gives_its_source_with_that_name(tmp_path: Path) -> None:
    settings = load_settings({"SISE_PRICE_FOLDER": str(tmp_path)})
    sources = make_sources(settings)
    assert {name: type(source) for name, source in sources.items()} == KINDS
    assert all(source.name == name for name, source in sources.items())
    for source in sources.values():
        await source.close()


@pytest.mark.parametrize("name", ["folder", "yfinance", "nobody"])
def test_what_is_not_there_is_named(name: str) -> None:
    settings = load_settings({})
    assert set(make_sources(settings)) == {"yahoo", "sample", "krx"}
    with pytest.raises(ValueError, match=f"no price source {name}"):
        make_source(name, settings)


def test_one_host_has_one_budget_by_the_setting() -> None:
    hosts = Hosts(load_settings({"SISE_REQUESTS_PER_MINUTE": "90"}))
    one = hosts.at("https://query2.finance.yahoo.com")
    assert hosts.at("https://query2.finance.yahoo.com/x") is one
    assert hosts.at("https://naver.com") is not one
    assert one.state().tokens == 9


def test_local_sources_have_no_host_to_be_polite_to(tmp_path: Path) -> None:
    sources = make_sources(load_settings({"SISE_PRICE_FOLDER": str(tmp_path)}))
    told = {name: source.state() is not None for name, source in sources.items()}
    assert told == {"yahoo": True, "krx": True, "sample": False, "folder": False}
