"""Backtests through the schema: asked for, followed, and every field of what came of them."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from sqlalchemy import text

from app.domain.backtest.strategies import STRATEGIES
from app.env import Env
from app.graphql import backtest_words
from app.graphql.schema import schema
from app.services.backtest.backtests import fail_dead
from app.services.people.identity import Identity
from tests.backtests import make_market, work
from tests.graphql.asking import ask, fail, make_context
from tests.people import by_session, make_user

RUN = "mutation ($input: BacktestInput!) { runBacktest(input: $input) { id state mode } }"
RESULT = """query ($id: ID!) { backtest(id: $id) {
  id name mode strategy strategyName symbols firstDay lastDay state progress stage secondsLeft trials
  dataVersion source createdAt startedAt doneAt error
  input { parameters { name label value } cash costs fill slippage sizing fraction slots stop target
    trailing interest borrowing volumeCap shorts taxed ticks limits whole benchmark sweep { name label values }
    walkForward { train test embargo anchored } }
  result { currency firstDay lastDay sessions finalEquity roi cagr cagrCalendar volatility sharpeRatio
    sortinoRatio calmarRatio maxDrawdown winRate profitFactor exposure turnover fees taxes trades
    fillRule warnings parameters { name value } equity drawdown monthlyReturns fills
    drawdowns { depth peak trough recovered }
    roundTrips(first: 2) { edges { cursor node { symbol direction opened closed quantity entryPrice
      exitPrice profit costs reason } } pageInfo { hasNextPage endCursor } totalCount }
    benchmark { name roi } benchmarks { name finalEquity roi cagr sharpeRatio maxDrawdown volatility
      alpha beta }
    lookAhead { complete cuts changed leaks { name day cut } }
    overfitting { trials psr dsr pbo }
    sweep { cells leftOut medianSharpe axes { name values } best neighbours top(first: 3)
      heatmap(x: "fast", y: "slow") }
    each walkForward { inSampleSharpe inSampleRoi folds } } } }"""
CROSS = [{"name": "fast", "value": "3"}, {"name": "slow", "value": "9"}]
INPUT = {"strategy": "sma_cross", "symbols": ["AAPL"], "cash": "100000"}


@pytest.fixture
async def alice(env: Env) -> Identity:
    await make_market(env)
    return await by_session(env, await make_user(env))


async def run(env: Env, alice: Identity, **more: object) -> dict:
    made = await ask(env, RUN, {"input": INPUT | more}, identity=alice)
    await work(env)
    found = await ask(env, RESULT, {"id": made["runBacktest"]["id"]}, identity=alice)
    return dict(found["backtest"])


async def test_a_run_with_all_that_stands_beside_it(env, alice):
    it = await run(env, alice, parameters=CROSS, benchmark="AAPL", stop=0.2)
    assert (it["state"], it["progress"], it["mode"]) == ("DONE", 1.0, "RUN")
    told = it["result"]
    assert told["finalEquity"] == f"{told['equity']['equity'][-1]:.2f}".rstrip("0").rstrip(".")
    assert set(told["equity"]) == {
        "time", "equity", "drawdown", "buyAndHold", "equalWeight", "benchmark",
    }  # fmt: skip
    assert told["fillRule"] == "A signal at the close is filled at the next open."
    assert any("hindsight" in warning for warning in told["warnings"])
    assert told["lookAhead"]["complete"]
    assert told["lookAhead"]["changed"] == 0
    assert [one["name"] for one in told["benchmarks"]] == ["BUY_AND_HOLD", "EQUAL_WEIGHT", "AAPL"]
    assert told["benchmark"]["name"] == "AAPL"
    assert told["each"] is None
    months = told["monthlyReturns"]
    assert (months["rows"], len(months["columns"])) == ([2020, 2021], 12)
    product = 1.0
    for row in months["values"]:
        for value in row:
            product *= 1 + (value or 0)
    assert product - 1 == pytest.approx(told["roi"])
    assert it["input"]["stop"] == 0.2
    assert it["input"]["parameters"][0] == {
        "name": "fast", "label": "Fast window (sessions)", "value": "3",
    }  # fmt: skip


async def test_the_rules_of_the_market_can_be_left_out(env, alice):
    plain = await run(env, alice, parameters=CROSS)
    free = dict.fromkeys(("taxed", "ticks", "limits", "whole"), False) | {"volumeCap": None}
    it = await run(env, alice, parameters=CROSS, interest=0.03, borrowing=0.05, **free)
    assert {name: it["input"][name] for name in free} == free
    assert (it["input"]["interest"], it["input"]["borrowing"]) == (0.03, 0.05)
    assert any(quantity % 1 for quantity in it["result"]["fills"]["quantity"])
    assert not any(quantity % 1 for quantity in plain["result"]["fills"]["quantity"])


async def test_cash_that_is_not_given_is_the_usual_one(env, alice):
    made = await ask(env, RUN, {"input": {k: INPUT[k] for k in ("strategy", "symbols")}},
                     identity=alice)  # fmt: skip
    query = "query ($id: ID!) { backtest(id: $id) { input { cash } } }"
    it = await ask(env, query, {"id": made["runBacktest"]["id"]}, identity=alice)
    assert it["backtest"]["input"]["cash"] == "10000"


async def test_trades_are_paged(env, alice):
    it = await run(env, alice, parameters=CROSS)
    page = it["result"]["roundTrips"]
    query = """query ($id: ID!, $after: String) { backtest(id: $id) { result {
      roundTrips(first: 200, after: $after) { edges { node { opened } } totalCount } } } }"""
    values = {"id": it["id"], "after": page["pageInfo"]["endCursor"]}
    rest = (await ask(env, query, values, identity=alice))["backtest"]["result"]["roundTrips"]
    assert len(page["edges"]) == 2
    assert len(rest["edges"]) == page["totalCount"] - 2 == it["result"]["trades"] - 2
    assert rest["edges"][0]["node"]["opened"] >= page["edges"][1]["node"]["closed"]


async def test_a_sweep_with_its_heatmap_and_neighbours(env, alice):
    axes = [
        {"name": "fast", "from": 2, "to": 6, "step": 2},
        {"name": "slow", "values": ["5", "9", "5"]},  # the same twice is tried once
    ]
    it = await run(env, alice, sweep=axes)
    sweep = it["result"]["sweep"]
    assert (sweep["cells"], sweep["leftOut"]) == (5, 1)
    assert sweep["heatmap"]["columns"] == ["2", "4", "6"]
    assert sweep["heatmap"]["rows"] == ["5", "9"]
    assert sweep["heatmap"]["values"][0][2] is None
    best = max(v for row in sweep["heatmap"]["values"] for v in row if v is not None)
    assert sweep["best"]["sharpeRatio"] == [best] == sweep["top"]["sharpeRatio"][:1]
    assert it["trials"] == it["result"]["overfitting"]["trials"] == 5
    query = """query ($id: ID!) { backtest(id: $id) { result { sweep {
      heatmap(x: "slow", y: "slow") } } } }"""
    line = (await ask(env, query, {"id": it["id"]}, identity=alice))["backtest"]["result"]["sweep"]
    row = sweep["heatmap"]["columns"].index(str(sweep["best"]["fast"][0]))
    assert line["heatmap"]["values"] == [[values[row] for values in sweep["heatmap"]["values"]]]
    query = query.replace('x: "slow"', 'x: "none"')
    error = await fail(env, query, {"id": it["id"]}, identity=alice)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "x"}


async def test_a_walk_forward_with_its_folds(env, alice):
    plan = {"train": 100, "test": 40, "embargo": 2}
    axes = [{"name": "fast", "values": ["2", "4"]}]
    more = {"parameters": CROSS[1:], "sweep": axes, "walkForward": plan}
    it = await run(env, alice, **more)
    assert it["mode"] == "WALK_FORWARD"
    assert len(it["result"]["walkForward"]["folds"]["values"]) == 4
    assert it["input"]["walkForward"] == plan | {"anchored": False}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"parameters": [{"name": "fast", "value": "x"}]}, "fast"),
        ({"parameters": [{"name": "fast", "value": "nan"}]}, "fast"),
        ({"parameters": [{"name": "none", "value": "1"}]}, "none"),
        ({"sweep": [{"name": "fast", "from": 1}]}, "fast"),
        ({"sweep": [{"name": "fast", "from": 1, "to": 9, "step": -1}]}, "fast"),
        ({"sweep": [{"name": "fast", "from": 1, "to": 1e300}]}, "fast"),
        ({"sweep": [{"name": "fast", "from": 1, "to": 9, "step": 0}]}, "fast"),
        ({"sweep": [{"name": "fast", "values": []}]}, "fast"),
        ({"sweep": [{"name": "fast", "values": ["3"]}] * 2}, "fast"),
        ({"parameters": [{"name": "fast", "value": "3"}] * 2}, "fast"),
        ({"walkForward": {"train": 1}}, "train"),
        ({"walkForward": {"embargo": -1}}, "embargo"),
        ({"walkForward": {"test": 9999}}, "walkForward"),
        ({"sweep": [{"name": "stop", "values": ["7"]}]}, "stop"),
        ({"slippage": 3}, "slippage"),
        ({"cash": "0"}, "cash"),
        ({"costs": "none such"}, "costs"),
        ({"stop": 2}, "stop"),
        ({"slots": 0}, "slots"),
    ],
)
async def test_a_bad_value_is_refused_by_its_field(env, alice, more, field):
    error = await fail(env, RUN, {"input": INPUT | more}, identity=alice)
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["extensions"]["field"] == field


async def test_a_token_that_only_reads_runs_nothing(env, alice):
    error = await fail(env, RUN, {"input": INPUT})
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_it_is_followed_and_compared(env, alice):
    made = await ask(env, RUN, {"input": INPUT | {"parameters": CROSS}}, identity=alice)
    id_ = made["runBacktest"]["id"]
    query = "subscription ($id: ID!) { backtest(id: $id) { state progress stage } }"
    context = make_context(env).signed_in(alice)
    seen = []
    async with aclosing(
        await schema.subscribe(query, variable_values={"id": id_}, context_value=context)
    ) as answers:
        async for answer in answers:
            seen.append(answer.data["backtest"]["state"])
            await work(env)
    assert (seen[0], seen[-1]) == ("PENDING", "DONE")
    compare = "query ($ids: [ID!]!) { compareBacktests(ids: $ids) { id result { roi } } }"
    two = await run(env, alice, parameters=CROSS, fill="SAME_CLOSE")
    found = await ask(env, compare, {"ids": [two["id"], id_, id_]}, identity=alice)
    assert [one["id"] for one in found["compareBacktests"]] == [two["id"], id_]
    error = await fail(env, compare, {"ids": []}, identity=alice)
    assert error["extensions"]["field"] == "ids"
    listed = "{ backtests(first: 1) { edges { node { id } } totalCount } }"
    found = await ask(env, listed, identity=alice)
    assert found["backtests"]["totalCount"] == 2
    assert found["backtests"]["edges"][0]["node"]["id"] == two["id"]


async def test_a_failure_is_told_in_the_readers_language(env, alice):
    made = await ask(env, RUN, {"input": INPUT | {"parameters": CROSS}}, identity=alice)
    async with env.db.write() as db:
        await db.execute(text("UPDATE job SET state = 'FAILED', last_error = 'It ended.'"))
    await fail_dead(env)
    query = "query ($id: ID!) { backtest(id: $id) { state error } }"
    values = {"id": made["runBacktest"]["id"]}
    it = (await ask(env, query, values, identity=alice, locale="ko"))["backtest"]
    assert it["state"] == "FAILED"
    assert it["error"].startswith("계산에 실패했습니다")


async def test_strategies_are_told_in_both_languages(env, alice):
    query = "{ strategies { key name description parameters { name label kind default min max } } }"
    english = (await ask(env, query))["strategies"]
    korean = (await ask(env, query, locale="ko"))["strategies"]
    assert [one["key"] for one in english] == list(STRATEGIES)
    for one, same in zip(english, korean, strict=True):
        strategy = STRATEGIES[one["key"]]
        assert (one["name"], one["description"]) == (strategy.name, strategy.description)
        assert one["description"] != same["description"]
        for parameter in one["parameters"]:
            assert parameter["name"] in backtest_words._PARAMETERS
