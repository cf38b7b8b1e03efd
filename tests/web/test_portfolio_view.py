"""How a portfolio's page is looked at, by its address."""

from __future__ import annotations

import pytest

from app.errors import BadInput
from app.web.portfolio_view import PortfolioView, read_portfolio_view

PATH = "/portfolios/1"


def test_only_what_differs_from_the_default_stands_in_the_address():
    assert read_portfolio_view(PATH, {}).address() == PATH
    query = {"sort": "RESULT", "order": "up", "by": "sector", "benchmark": "^ks11"}
    view = read_portfolio_view(PATH, query | {"rows": "ALL", "sales": "WzQ5XQ"})
    assert view == PortfolioView(PATH, "result", True, "SECTOR", "^KS11", True, "WzQ5XQ")
    said = f"{PATH}?sort=result&order=up&by=SECTOR&benchmark=%5EKS11"
    assert view.address() == f"{said}&rows=all&sales=WzQ5XQ"
    assert view.address(whole=False, sales="") == said
    assert view.query(whole=False, sales="", benchmark="") == {
        "sort": "result",
        "order": "up",
        "by": "SECTOR",
    }
    assert read_portfolio_view(PATH, {"by": "MARKET"}).address(by="INSTRUMENT") == PATH


def test_a_column_is_sorted_by_and_then_turned():
    view = read_portfolio_view(PATH, {})
    assert (view.direction("value"), view.direction("name")) == ("descending", "none")
    assert view.sorted_by("value") == f"{PATH}?order=up"
    assert view.sorted_by("today") == f"{PATH}?sort=today"
    assert view.sorted_by("name") == f"{PATH}?sort=name&order=up"  # names begin with A


def test_all_positions_are_asked_for_only_where_they_are_wished():
    asked = {"by": "INSTRUMENT", "sort": "VALUE", "ascending": False, "after": None}
    assert read_portfolio_view(PATH, {}).variables() == asked | {"first": 50}
    assert read_portfolio_view(PATH, {"rows": "all"}).variables() == asked | {"first": None}


@pytest.mark.parametrize(
    ("name", "value"), [("sort", "colour"), ("rows", "some"), ("by", "AGE"), ("order", "left")]
)
def test_what_cannot_be_is_named(name, value):
    with pytest.raises(BadInput) as caught:
        read_portfolio_view(PATH, {name: value})
    assert caught.value.field == name
