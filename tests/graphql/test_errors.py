"""Errors: expected ones in the reader's language, all others masked behind a number of the log.

A mistake of the document names its field.
"""

from __future__ import annotations

import logging

import pytest
from graphql import GraphQLError, parse, print_ast

from app.errors import AppError, BadInput, NotFound, RateLimited, Unavailable
from app.graphql.errors import present_errors, raise_first
from tests.graphql.asking import ask, execute, fail

SECRET = "password=hunter2"


def present(error: Exception, locale: str = "en") -> dict:
    located = GraphQLError(str(error), original_error=error, path=["quotes", 0])
    return present_errors([located], locale)[0].formatted


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (BadInput("bad", field="symbol"), {"code": "BAD_INPUT", "field": "symbol"}),
        (NotFound("none"), {"code": "NOT_FOUND"}),
        (RateLimited("wait", retry_after=1.5), {"code": "RATE_LIMITED", "retryAfter": 1.5}),
        (Unavailable("away"), {"code": "UNAVAILABLE", "retryable": True}),
    ],
)
def test_an_expected_failure_keeps_its_message_and_extensions(error, extensions):
    shown = present(error)
    assert shown == {"message": str(error), "path": ["quotes", 0], "extensions": extensions}


def test_an_expected_failure_is_found_under_errors_that_wrap_it():
    inner = GraphQLError("x", original_error=NotFound("There is no instrument %(s)s.", s="A"))
    shown = present_errors([GraphQLError("y", original_error=inner)], "en")[0].formatted
    assert shown["message"] == "There is no instrument A."


def test_what_was_not_expected_is_masked_and_logged_under_its_number(caplog):
    with caplog.at_level(logging.ERROR):
        shown = present(RuntimeError(SECRET))
    assert shown["message"] == "Unexpected error."
    assert SECRET not in str(shown)
    record = caplog.records[-1]
    assert shown["extensions"] == {"code": "INTERNAL", "errorId": record.errorId}
    assert record.path == "quotes.0"
    assert SECRET in caplog.text


def test_no_errors_stay_no_errors():
    assert present_errors(None, "en") is None
    assert present_errors([], "en") is None


def test_an_error_that_is_kept_for_others_is_not_altered():
    kept = GraphQLError("Cannot query field 'x' on type 'Y'. Did you mean 'z'?")
    assert present_errors([kept], "en")[0].message == "Cannot query field 'x' on type 'Y'."
    assert kept.message.endswith("Did you mean 'z'?")
    assert not kept.extensions


def test_a_page_is_told_the_first_error_as_its_own():
    with pytest.raises(NotFound, match="none"):
        raise_first([GraphQLError("none", original_error=NotFound("none"))])
    node = parse("{ quotes }").definitions[0].selection_set.selections[0]
    assert print_ast(node) == "quotes"
    with pytest.raises(BadInput, match="100% wrong") as bad:
        raise_first([GraphQLError("100% wrong", nodes=node)])
    assert bad.value.field == "quotes"


def test_a_page_is_told_of_a_defect_by_its_number_alone(caplog):
    with pytest.raises(AppError) as defect:
        raise_first([GraphQLError(SECRET, original_error=RuntimeError(SECRET))])
    assert SECRET not in str(defect.value)
    assert caplog.records[-1].errorId in str(defect.value)


@pytest.mark.parametrize(
    ("query", "variables", "field"),
    [
        ("{ instrumant(symbol: 1) { name } }", None, "instrumant"),
        ("{ instrument { name } }", None, "instrument"),
        ("query($s: String!) { instrument(symbol: $s) { name } }", {}, "s"),
        ("query($s: String!) { instrument(symbol: $s) { name } }", {"s": 5}, "s"),
        ('query($d: Date) { fxRate(base: "A", quote: "B", on: $d) { rate } }', {"d": "no"}, "d"),
        ("query($n: Int) { collections(first: $n) { id } }", {"n": 2**31}, "n"),
    ],
)
async def test_a_mistake_of_the_document_is_bad_input_with_its_field(env, query, variables, field):
    error = await fail(env, query, variables)
    assert error["extensions"] == {"code": "BAD_INPUT", "field": field}
    assert "Did you mean" not in error["message"]


async def test_a_syntax_error_is_bad_input(env):
    error = await fail(env, "{ markets {")
    assert error["extensions"] == {"code": "BAD_INPUT"}
    assert error["message"].startswith("Syntax Error")


async def test_a_scalar_says_what_it_cannot_be(env):
    error = await fail(env, '{ fxRate(base: "USD", quote: "KRW", on: "2025-02-30") { rate } }')
    assert "Date cannot be '2025-02-30'; it must be a day such as 2026-01-05." in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_a_defect_of_a_resolver_reaches_nobody(env, caplog):
    class BrokenHub:
        async def quotes(self, _symbols):
            raise RuntimeError(SECRET)

    result = await execute(
        env, '{ markets { mic } quotes(symbols: ["A"]) { price } }', hub=BrokenHub()
    )
    error = result.errors[0].formatted
    assert result.data is None
    assert error["message"] == "Unexpected error."
    assert error["path"] == ["quotes"]
    assert error["extensions"]["errorId"] in [getattr(r, "errorId", None) for r in caplog.records]
    assert SECRET in caplog.text


async def test_the_message_is_in_the_readers_language(env):
    query = "{ instruments(first: 0) { totalCount } }"
    english = await fail(env, query, locale="en")
    korean = await fail(env, query, locale="ko")
    assert english["message"] == "first is 0; it must be from 1 to 200"
    assert korean["message"] == "개수 값이 0입니다. 1부터 200까지 가능합니다."
    assert korean["extensions"] == english["extensions"] == {"code": "BAD_INPUT", "field": "first"}


@pytest.mark.parametrize(
    ("given", "field"),
    [({"quantity": "abc"}, "quantity"), ({"day": "soon"}, "day"), ({"of": 1}, "input")],
)
async def test_a_value_of_the_wrong_form_names_its_field_within_the_input(env, given, field):
    query = """mutation ($input: TransactionInput!) {
      recordTransaction(input: $input, key: "k") { id } }"""
    variables = {"input": {"portfolio": "1", "kind": "BUY", "day": "2026-01-05"} | given}
    result = await execute(env, query, variables)
    assert result.errors[0].formatted["extensions"] == {"code": "BAD_INPUT", "field": field}


async def test_a_limit_is_told_in_the_readers_language_though_the_verdict_is_kept(env):
    query = "{ " + " ".join(f"a{i}: markets {{ mic }}" for i in range(16)) + " }"
    english = await fail(env, query, locale="en")
    korean = await fail(env, query, locale="ko")
    assert english["message"] == "The document has 16 aliases; 15 are allowed."
    assert english["extensions"] == korean["extensions"] == {"code": "TOO_COSTLY"}
    assert korean["message"] != english["message"]
    assert "16" in korean["message"]


async def test_a_query_that_succeeds_has_no_errors(env):
    assert "markets" in await ask(env, "{ markets { mic } }")
