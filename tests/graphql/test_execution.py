"""How documents are executed: one operation, limits first, verdicts kept, within a deadline."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from graphql import get_introspection_query, parse
from strawberry.extensions import parser_cache, validation_cache
from strawberry.types.graphql import OperationType

from app.graphql import execution
from app.graphql.budget import Budget
from app.graphql.execution import CACHED_DOCUMENTS, DEADLINE, find_deadline
from app.graphql.schema import schema
from tests.clocks import hold_deadlines
from tests.graphql.asking import ask, execute, fail, make_context

DEADLINES = dict(execution.DEADLINES)


class SlowHub:
    """A hub whose quotes never come: the deadline does. `cancelled` counts who stopped waiting."""

    def __init__(self, deadlines=()) -> None:
        self.cancelled, self.deadlines = 0, deadlines

    async def quotes(self, _symbols):
        for deadline in self.deadlines:
            deadline.reschedule(0)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def subscribe(self, _symbols):
        while True:
            yield {}


@pytest.fixture
def deadlines(monkeypatch):
    """Those that were begun, of 0.1 s; none comes by itself."""
    monkeypatch.setattr(execution, "DEADLINE", 0.1)
    begun = hold_deadlines(monkeypatch, execution, 0.1)
    find_deadline.cache_clear()
    yield begun
    find_deadline.cache_clear()


async def test_an_operation_that_takes_too_long_is_cut_and_cancelled(env, deadlines):
    hub = SlowHub(deadlines)
    error = await fail(env, '{ quotes(symbols: ["A"]) { price } }', hub=hub)
    assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert error["message"] == "The answer took longer than 0.1 s. Ask for less, or try again."
    assert hub.cancelled == 1


async def test_an_operation_of_a_stream_is_cut_too(env, deadlines):
    context = make_context(env, hub=SlowHub(deadlines))
    results = await schema.stream('{ quotes(symbols: ["A"]) { price } }', context_value=context)
    errors = [result.errors[0].extensions["code"] async for result in results]
    assert errors == ["UNAVAILABLE"]


async def test_a_subscription_has_no_deadline_but_for_its_beginning(env, deadlines):
    class Talking(SlowHub):
        async def subscribe(self, _symbols):
            yield {}
            for _ in range(2):
                with pytest.raises(RuntimeError, match="finished Timeout"):
                    deadlines[0].reschedule(0)
                yield {}

    query = 'subscription { quotes(symbols: ["A"]) { price } }'
    context = make_context(env, hub=Talking())
    results = await schema.stream(query, context_value=context)
    assert [result.data async for result in results] == [{"quotes": []}] * 3
    assert len(deadlines) == 1


def test_what_asks_the_source_may_take_longer(monkeypatch):
    monkeypatch.setattr(execution, "DEADLINE", DEADLINE)  # as they were before the tests
    monkeypatch.setattr(execution, "DEADLINES", DEADLINES)
    assert find_deadline(parse("{ markets { mic } }")) == 2.0
    assert find_deadline(parse('mutation { a: trackInstrument(symbol: "A") { name } }')) == 10.0
    spread = "mutation { ...F } fragment F on Mutation { collect { id } }"
    assert find_deadline(parse(spread)) == 10.0


async def test_several_operations_need_a_name(env):
    query = "query A { markets { mic } } query B { source { name } }"
    error = await fail(env, query)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": "operationName"}
    assert "markets" in await ask(env, query, operation_name="A")
    unknown = await fail(env, query, operation_name="C")
    assert unknown["extensions"] == {"code": "BAD_INPUT", "field": "operationName"}


async def test_a_subscription_is_refused_where_it_cannot_run(env):
    result = await schema.execute(
        'subscription { quotes(symbols: ["A"]) { price } }',
        context_value=make_context(env),
        allowed_operation_types={OperationType.QUERY, OperationType.MUTATION},
    )
    assert result.errors[0].formatted["extensions"] == {"code": "BAD_INPUT", "field": "query"}
    assert "WebSocket" in result.errors[0].message


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        "{ __schema { types { name } } }",
        '{ __type(name: "Quote") { name } }',
    ],
)
async def test_introspection_needs_the_development_setting(env, query):
    error = await fail(env, query)
    assert "introspection" in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    dev = replace(env, settings=replace(env.settings, dev=True))
    assert await ask(dev, query)


async def test_the_name_of_a_type_may_always_be_asked(env):
    assert await ask(env, "{ __typename }") == {"__typename": "Query"}


async def test_a_document_of_more_than_1000_tokens_is_not_parsed(env):
    error = await fail(env, "{ " + "__typename " * 999 + "}")
    assert "1000 tokens" in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_a_document_is_parsed_and_validated_once(env):
    parsed = parser_cache._get_parse_cache(CACHED_DOCUMENTS)
    judged = validation_cache._get_validate_cache(2 * CACHED_DOCUMENTS)
    query = "query OnlyHere { markets { mic name } }"
    await ask(env, query)
    misses = (parsed.cache_info().misses, judged.cache_info().misses)
    for _ in range(3):
        await ask(env, query)
    assert (parsed.cache_info().misses, judged.cache_info().misses) == misses


async def test_the_points_of_a_document_are_taken_from_the_callers_budget(env):
    budget = Budget(60)
    query = "{ markets { mic } }"  # 1 + 50 for a list without a page
    await ask(env, query, budget=budget, caller="1.2.3.4")
    error = await fail(env, query, budget=budget, caller="1.2.3.4")
    assert error["extensions"]["code"] == "RATE_LIMITED"
    await ask(env, query, budget=budget, caller="5.6.7.8")
    wrong = await fail(env, "{ nothing }", budget=budget, caller="1.2.3.4")
    assert wrong["extensions"]["code"] == "BAD_INPUT"  # costs nothing: it does not run


async def test_the_executor_keeps_nothing_of_past_events(env):
    query = 'subscription { quotes(symbols: ["A"]) { price } }'
    executors = []

    class Watching(SlowHub):
        async def subscribe(self, _symbols):
            for _ in range(5):
                yield {}

    class Noting(execution.EventExecutor):
        def build_per_event_executor(self, payload):
            executors.append(self)
            return super().build_per_event_executor(payload)

    schema.execution_context_class = Noting
    try:
        context = make_context(env, hub=Watching())
        results = await schema.stream(query, context_value=context)
        assert len([result async for result in results]) == 5
    finally:
        schema.execution_context_class = execution.EventExecutor
    assert executors[0] is executors[-1]
    assert len(executors[0]._relevant_sub_fields) == 0


async def test_without_a_context_the_schema_still_refuses_what_is_too_much():
    result = await schema.execute("{ a: __typename " + "b: __typename " * 20 + "}")
    assert result.errors[0].extensions["code"] == "TOO_COSTLY"


async def test_the_result_of_a_refused_operation_has_no_data(env):
    result = await execute(env, "{ __schema { types { name } } }")
    assert result.data is None
