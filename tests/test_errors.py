"""The error tree: sentences, codes, what the client is told."""

from __future__ import annotations

import pytest

from app import errors
from app.errors import AppError, BadInput, RateLimited, Unavailable


def tree(kind: type[AppError]) -> list[type[AppError]]:
    return [kind, *(d for child in kind.__subclasses__() for d in tree(child))]


def test_the_docstring_draws_every_error_with_its_code_and_status() -> None:
    drawing = errors.__doc__ or ""
    for kind in tree(AppError)[1:]:
        if kind.__module__ == errors.__name__:
            line = next(x for x in drawing.splitlines() if kind.__name__ in x)
            assert kind.code in line
            assert str(kind.status) in line or kind is errors.ConfigError


def test_codes_are_distinct() -> None:
    codes = [k.code for k in tree(AppError) if k.__module__ == errors.__name__]
    assert len(set(codes)) == len(codes)


def test_a_sentence_is_filled_with_its_values() -> None:
    error = BadInput("first is %(value)s; at most 200", field="first", value=300)
    assert str(error) == "first is 300; at most 200"
    assert error.extensions == {"code": "BAD_INPUT", "field": "first"}


def test_a_percent_sign_in_a_plain_sentence_stays() -> None:
    assert str(AppError("100% of it")) == "100% of it"


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (RateLimited("wait", retry_after=3), {"code": "RATE_LIMITED", "retryAfter": 3}),
        (Unavailable("gone"), {"code": "UNAVAILABLE", "retryable": True}),
    ],
)
def test_what_may_be_tried_again_says_so(error: AppError, extensions: dict[str, object]) -> None:
    assert error.extensions == extensions
    assert error.retryable
