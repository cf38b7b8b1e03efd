"""Profiles: sector and industry from the source, once, and never at the price of an error."""

from __future__ import annotations

import pytest

from app.env import Env
from app.services.market.instruments import get_instrument
from app.services.market.profiles import learn_profile
from app.services.settings import choose_source
from tests.factories import make_instrument
from tests.fakes.yahoo import FakeYahoo


@pytest.fixture
async def live(env: Env, yahoo: FakeYahoo) -> Env:
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")
    return env


async def test_a_share_learns_its_sector_once(live, yahoo):
    assert await learn_profile(live, "AAPL")
    row = await get_instrument(live, "AAPL")
    assert (row.sector, row.industry) == ("Technology", "Consumer Electronics")
    yahoo.fault("search", "500")
    assert not await learn_profile(live, "AAPL")  # it is known: nothing is asked
    assert (await get_instrument(live, "AAPL")).sector == "Technology"


async def test_a_source_that_fails_costs_nothing(live, yahoo):
    yahoo.fault("search", "429", retry_after=1)
    assert not await learn_profile(live, "AAPL")
    assert (await get_instrument(live, "AAPL")).sector is None


async def test_funds_indices_and_unknown_symbols_are_not_asked_for(live):
    await make_instrument(live, "SPY", kind="ETF", mic="ARCX")
    await make_instrument(live, "^GSPC", kind="INDEX", mic="XNYS")
    for symbol in ("SPY", "^GSPC", "NONE"):
        assert not await learn_profile(live, symbol)


async def test_the_sample_knows_no_sectors(sample_env):
    await make_instrument(sample_env, "GOOG")
    assert not await learn_profile(sample_env, "GOOG")
