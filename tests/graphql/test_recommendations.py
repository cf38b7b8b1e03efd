"""Recommendations and their record through the schema, in the reader's language."""

from __future__ import annotations

import pytest

from app.domain.recommend.features import Feature
from app.domain.recommend.markets import MarketKey
from app.graphql.recommend_words import (
    comparison_sentence,
    evidence_sentence,
    reason_sentence,
)
from app.services.recommend.recommend_issue import issue
from tests.graphql.asking import ask, counting_statements, make_context
from tests.ledgers import keep, make_portfolio
from tests.people import by_session, make_user
from tests.recommending import make_market

QUERY = """{
  recommendationIssues { market asOf evidence evidenceSentence comparison simulated instruments }
  recommendationWalks { market }
  recommendation(symbol: "AAPL") { asOf ordinal since }
  other: recommendation(symbol: "SPY") { asOf }
  recommendations(first: 2, sort: RANK, market: "US") { totalCount pageInfo { hasNextPage }
    edges { node { id instrument { symbol } asOf horizon action evidence rank probability baseRate
      target stop model dataVersion outcome { beat } issue { comparedWith }
      reasons { feature push value weight sentence } } } }
  trackRecord { issued scored records { simulated enough
    figures { windows baseRate { value low high } actions { action count beat { value } }
      baselines { baseline count net { value } lead { value } }
      equalWeight { value } held { value } bought { value } coverage { value } }
    calibration { count } } }
}"""


async def test_the_newest_recommendations_with_their_reasons_and_record(env):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    found = await ask(env, QUERY)
    (head,) = found["recommendationIssues"]
    assert (head["evidence"], head["simulated"], head["instruments"]) == ("NONE", False, 4)
    assert "SPY" in head["comparison"]
    assert "windows" in head["evidenceSentence"]
    one, other = found["recommendation"], found["other"]
    assert (one["asOf"], other) == (head["asOf"], None)
    assert one["since"] <= one["asOf"]
    assert 1 <= one["ordinal"] <= 4
    page = found["recommendations"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    node = page["edges"][0]["node"]
    assert node["id"].endswith(node["instrument"]["symbol"])
    assert (node["horizon"], node["probability"], node["model"]) == (20, None, "rule-1")
    assert 0 < node["baseRate"] < 1
    assert node["issue"] == {"comparedWith": "SPY"}
    pushes = [reason["push"] for reason in node["reasons"]]
    assert pushes == sorted(pushes, reverse=True)
    assert all(reason["sentence"].endswith(".") for reason in node["reasons"])
    live, walked = found["trackRecord"]["records"]
    assert (live["figures"], live["calibration"]) == (None, [])
    assert walked["enough"] is False
    assert 0 < walked["figures"]["baseRate"]["value"] < 1
    plain = walked["figures"]["baselines"]
    assert plain[0]["baseline"] in {"SIGNAL", "MOMENTUM_5"}
    assert plain[0]["count"] > 0
    assert found["trackRecord"]["issued"] > found["trackRecord"]["scored"] > 0


async def test_positions_get_advice_by_their_owner_alone(env):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    alice = await make_user(env)
    portfolio = await make_portfolio(env, alice, currency="USD")
    await keep(env, alice, portfolio, "DEPOSIT 10000")
    await keep(env, alice, portfolio, "BUY 3 AAPL @ 10")
    query = "{ positionAdvice { portfolioName quantity advice recommendation { action } } }"
    context = make_context(env, operator=False).signed_in(await by_session(env, alice))
    (row,) = (await ask(env, query, operator=False, identity=context.identity))["positionAdvice"]
    assert row["quantity"] == "3"
    assert row["advice"] in {"KEEP", "SELL_HALF", "SELL_ALL"}


@pytest.mark.parametrize("locale", ["ko", "en"])
def test_every_feature_evidence_and_comparison_has_its_words(locale):
    for feature in Feature:
        sentence = reason_sentence(feature, -1.0, locale)
        assert "%(" not in sentence
    early = {"ic": None, "windows": 3}
    late = {"ic": 0.1, "windows": 30}
    told = {evidence_sentence(e, late, locale) for e in ("NONE", "WEAK", "PROVEN")}
    assert len(told | {evidence_sentence("NONE", early, locale)}) == 4
    compared = {
        comparison_sentence(None, 40, locale, few=False),
        comparison_sentence("SPY", 5, locale, few=True),
        comparison_sentence(None, 5, locale, few=True),
    }
    assert len(compared) == 3


async def test_where_all_of_a_page_stand_is_one_question(env):
    await make_market(env, sessions=110)
    await issue(env, MarketKey.US)
    query = "{ recommendations(first: %d) { edges { node { ordinal since } } } }"
    counts = []
    for rows in (1, 4):
        with counting_statements(env) as statements:
            await ask(env, query % rows)
        counts.append(len(statements))
    assert counts[0] == counts[1]
