"""Who may ask: everybody where the market is public, else the operator; changes are the operator's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import GraphQLObjectType

from app.graphql.schema import schema
from tests.graphql.asking import execute, make_context

EXAMPLES = {
    "Query.instrument": 'query { instrument(symbol: "A") { name } }',
    "Query.instruments": "query { instruments { totalCount } }",
    "Query.quotes": 'query { quotes(symbols: ["A"]) { at } }',
    "Query.markets": "query { markets { mic } }",
    "Query.collections": "query { collections { id } }",
    "Query.fxRate": 'query { fxRate(base: "USD", quote: "KRW") { rate } }',
    "Query.sessionOverrides": "query { sessionOverrides { mic } }",
    "Query.tradingDays": 'query { tradingDays(mic: "XKRX") { day } }',
    "Query.searchSource": 'query { searchSource(query: "A") { silent } }',
    "Query.symbolLists": "query { symbolLists { key } }",
    "Query.dependents": 'query { dependents(symbol: "A") { kind } }',
    "Query.dataVersion": "query { dataVersion }",
    "Query.dataHealth": "query { dataHealth { quarantined } }",
    "Query.quarantine": "query { quarantine { totalCount } }",
    "Query.revisions": "query { revisions { totalCount } }",
    "Query.crossChecks": "query { crossChecks { totalCount } }",
    "Query.collectionProgress": "query { collectionProgress { total } }",
    "Query.source": "query { source { name } }",
    "Mutation.trackInstrument": 'mutation { trackInstrument(symbol: "A") { name } }',
    "Mutation.saveSessionOverride": """mutation { saveSessionOverride(
        input: {mics: [], day: "2026-10-15", closed: true, reason: "A"}) { mic } }""",
    "Mutation.removeSessionOverride": """mutation {
        removeSessionOverride(mic: "XKRX", day: "2026-11-19") { mic } }""",
    "Mutation.restoreSessionOverride": """mutation {
        restoreSessionOverride(mic: "XKRX", day: "2026-11-19") { mic } }""",
    "Mutation.trackInstruments": 'mutation { trackInstruments(symbols: ["A"]) { added } }',
    "Mutation.trackList": 'mutation { trackList(key: "x") { added } }',
    "Mutation.removeInstrument": 'mutation { removeInstrument(symbol: "A") }',
    "Mutation.collect": "mutation { collect { id } }",
    "Mutation.releaseQuarantined": "mutation { releaseQuarantined(id: 1) { id } }",
    "Mutation.dropQuarantined": "mutation { dropQuarantined(id: 1) { id } }",
    "Mutation.switchSource": "mutation { switchSource(name: SAMPLE) { name } }",
    "Subscription.quotes": 'subscription { quotes(symbols: ["A"]) { at } }',
    "Subscription.quoteFrames": 'subscription { quoteFrames(symbols: ["A"]) }',
}


def test_every_root_field_has_an_example_here():
    roots = schema.graphql_schema
    fields = {
        f"{kind.name}.{name}"
        for kind in (roots.query_type, roots.mutation_type, roots.subscription_type)
        if isinstance(kind, GraphQLObjectType)
        for name in kind.fields
    }
    assert fields == set(EXAMPLES)


async def first_code(env, query: str, **changes) -> str | None:
    if query.startswith("subscription"):
        context = make_context(env, **changes)
        results = await schema.stream(query, context_value=context)
        async for result in results:
            return result.errors[0].extensions["code"] if result.errors else None
    result = await execute(env, query, **changes)
    return result.errors[0].extensions["code"] if result.errors else None


@pytest.mark.parametrize("field", EXAMPLES)
async def test_a_stranger_reads_nothing_of_a_market_that_is_not_public(env, field):
    private = replace(env, settings=replace(env.settings, public_market=False))
    assert await first_code(private, EXAMPLES[field], operator=False) == "UNAUTHENTICATED"


@pytest.mark.parametrize("field", EXAMPLES)
async def test_a_stranger_changes_nothing_of_a_market_that_is(env, field):
    code = await first_code(env, EXAMPLES[field], operator=False)
    assert (code == "UNAUTHENTICATED") is field.startswith("Mutation.")


@pytest.mark.parametrize("field", [name for name in EXAMPLES if not name.startswith("Mutation.")])
async def test_the_operator_reads_whatever_the_setting(env, field):
    private = replace(env, settings=replace(env.settings, public_market=False))
    assert await first_code(private, EXAMPLES[field]) != "UNAUTHENTICATED"
