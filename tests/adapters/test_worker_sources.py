"""A worker's sources: yfinance loaded when it is asked, and words when it is not installed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.adapters.politeness import Politeness
from app.adapters.prices import History, NoData, RateLimited
from app.adapters.worker_sources import Deferred, make_worker_sources
from app.config import Settings, load_settings
from tests.fakes.yahoo import FakeYahoo

pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:yfinance")

LATE = """
import sys
from app.adapters.worker_sources import make_worker_sources
from app.config import load_settings
sources = make_worker_sources(load_settings({}))
assert set(sources) == {"yahoo", "sample", "krx", "yfinance"}
assert not {"yfinance", "pandas"} & set(sys.modules)
"""


def settings_for(yahoo: FakeYahoo, folder: Path) -> Settings:
    return load_settings(
        {
            "SISE_YAHOO_URL": yahoo.url,
            "SISE_DATA_DIR": str(folder),
            "SISE_CLOCK": "2013-03-04T12:00:00Z",
        }
    )


def test_a_worker_that_never_asks_it_does_not_load_it() -> None:
    subprocess.run([sys.executable, "-c", LATE], check=True)


async def test_it_is_loaded_when_it_is_asked(yahoo: FakeYahoo, tmp_path: Path) -> None:
    sources = make_worker_sources(settings_for(yahoo, tmp_path))
    found = await sources["yfinance"].history("IBM", start=date(2013, 2, 20))
    assert isinstance(found, History)
    quotes = await sources["yfinance"].quotes(["IBM"])
    assert list(quotes) == ["IBM"]
    assert isinstance(await sources["yfinance"].intraday("IBM", minutes=7, days=1), NoData)
    for source in sources.values():
        await source.close()


async def test_it_shares_the_manners_of_yahoo(yahoo: FakeYahoo, tmp_path: Path) -> None:
    sources = make_worker_sources(settings_for(yahoo, tmp_path))
    yahoo.fault("IBM", "429", retry_after=50)
    await sources["yahoo"].history("IBM")
    assert isinstance(await sources["yfinance"].history("AAPL"), RateLimited)
    one, other = sources["yfinance"].state(), sources["yahoo"].state()
    assert one is not None
    assert other is not None
    assert one.closed_until == other.closed_until is not None
    for source in sources.values():
        await source.close()


async def test_nothing_is_loaded_before_the_first_question() -> None:
    host = Politeness(now=lambda: datetime(2026, 1, 5, tzinfo=UTC))
    source = Deferred("yfinance", lambda: pytest.fail("loaded"), host)
    assert (source.name, source.provider) == ("yfinance", "yahoo")
    assert source.state().breaker == "closed"
    await source.close()
