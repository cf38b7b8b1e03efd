"""The address of a screen: read, written and typed, each the same screen."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams

from app.errors import BadInput
from app.web.screen_view import (
    ScreenView,
    TermRow,
    read_screen_form,
    read_screen_view,
    view_of,
)

ADDRESS = "preset=VALUE&where=rsi_14:..30&where=sector:Energy,Utilities|change:-0.05..&sort=-close"


def test_an_address_is_read_and_written_as_it_was():
    view = read_screen_view(QueryParams(ADDRESS))
    assert view == ScreenView(
        "VALUE",
        (
            TermRow("rsi_14", "", "30"),
            TermRow("sector", words=("Energy", "Utilities")),
            TermRow("change", "-0.05", "", either=True),
        ),
        "close",
        descending=True,
    )
    assert view.query() == ADDRESS
    assert view.query(after="x") == ADDRESS + "&after=x"
    assert view.variables() == {
        "preset": "VALUE",
        "filter": {
            "all": [
                {"any": [{"field": "rsi_14", "max": 30.0}]},
                {
                    "any": [
                        {"field": "sector", "words": ["Energy", "Utilities"]},
                        {"field": "change", "min": -0.05},
                    ]
                },
            ]
        },
        "sort": {"field": "close", "descending": True},
        "after": None,
    }
    assert read_screen_view(QueryParams("")) == ScreenView()


def test_the_form_leads_to_the_address_in_per_cent():
    rows = [("rsi_14", "and", "", "30", ""), ("change", "or", " -5 ", "1,000", ""),
            ("sector", "and", "", "", "Energy"), ("close", "and", "", "", "")]  # fmt: skip
    names = ("field", "join", "min", "max", "word")
    typed = [(name, value) for row in rows for name, value in zip(names, row, strict=True)]
    view = read_screen_form(QueryParams([*typed, ("sort", "-rsi_14"), ("add", "volume")]))
    assert view.query() == (
        "where=rsi_14:..30|change:-0.05..10&where=sector:Energy&where=close:..&where=volume:.."
        "&sort=-rsi_14"
    )
    assert view.rows[1].shown == ("-5", "1000")
    assert len(view.variables()["filter"]["all"]) == 2  # what is not filled in asks for nothing
    fewer = read_screen_form(QueryParams([*typed, ("remove", "1")]))
    assert fewer.query() == "where=rsi_14:..30&where=sector:Energy&where=close:.."


def test_what_is_no_number_is_named_and_kept():
    view = read_screen_form(QueryParams("field=close&join=and&min=abc&max=&word="))
    assert view.query() == "where=close:abc.."
    with pytest.raises(BadInput, match="close is asked for at 'abc'; it must be a number"):
        view.variables()


def test_columns_sort_and_turn():
    view = ScreenView(sort="close", descending=True)
    assert view.sorted_by("close") == "?sort=close"
    assert view.sorted_by("rsi_14") == "?sort=-rsi_14"
    assert view.sorted_by("symbol") == "?"
    assert [view.direction(key) for key in ("close", "rsi_14")] == ["descending", "none"]


def test_a_saved_screen_has_its_address():
    term = {"field": "rsi_14", "min": None, "max": 30.0, "words": []}
    word = {"field": "sector", "min": None, "max": None, "words": ["Energy"]}
    kept = {"preset": None, "sort": "symbol", "descending": False}
    assert view_of(kept | {"filter": [{"any": [term, word]}]}).query() == (
        "where=rsi_14:..30|sector:Energy"
    )
