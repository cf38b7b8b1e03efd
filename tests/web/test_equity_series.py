"""The columns of a portfolio's chart, for its owner alone."""

from __future__ import annotations

import pytest

from app.domain.transactions import PortfolioKind
from app.services.portfolio.equity import refresh_equity
from tests.factories import make_sessions, weekdays
from tests.holdings import START, make_holdings, make_prices
from tests.people import PASSWORD, make_user
from tests.web.pages import browsing, choose_source


async def test_the_columns_beside_a_benchmark(env, settings):
    await choose_source(env, "yahoo")
    await make_prices(env)
    await make_sessions(env, "XKRX", weekdays(START, 3))
    row = await make_holdings(env, await make_user(env), PortfolioKind.TRACKED)
    await refresh_equity(env)
    address = f"/api/portfolios/{row.id}/equity"
    async with browsing(settings) as http:
        assert (await http.get(address)).status_code == 401
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        answer = await http.get(address, params={"benchmark": "005930.KS"})
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body["currency"] == "KRW"
        assert body["series"]["time"] == ["2026-03-02", "2026-03-03", "2026-03-04"]
        assert body["series"]["benchmark"] == pytest.approx([100, 70_100 / 700, 70_200 / 700])
        alone = (await http.get(address)).json()
        assert "benchmark" not in alone["series"]
        unknown = await http.get(address, params={"benchmark": "NOPE"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
        page = (await http.get(f"/portfolios/{row.id}?benchmark=AAPL")).text
        assert f'src="{address}?benchmark=AAPL"' in page
