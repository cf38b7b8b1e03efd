"""The price sources by name."""

from __future__ import annotations

from app.adapters.sample import SampleSource
from app.adapters.sources import make_source
from app.adapters.yahoo import YahooSource
from app.config import load_settings


async def test_each_name_gives_its_source_with_that_name() -> None:
    settings = load_settings({"SISE_YAHOO_URL": "http://127.0.0.1:1"})
    yahoo, sample = make_source("yahoo", settings), make_source("sample", settings)
    assert isinstance(yahoo, YahooSource)
    assert isinstance(sample, SampleSource)
    assert (yahoo.name, sample.name) == ("yahoo", "sample")
    await yahoo.close()
    await sample.close()
