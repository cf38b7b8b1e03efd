"""The page on correlation: cells that lead to a pair, leads on demand, errors at the field."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from app.db.models import Bar
from app.web.correlation_listing import draw_rolling, draw_scatter, list_cells
from tests.correlated import make_correlated
from tests.factories import make_bars, make_instrument
from tests.web.pages import browsing, choose_source, text_of

PATH = "/correlation?symbols=AAPL+IBM,MSFT&range=MAX"


async def test_what_is_followed_is_compared_until_something_is_named(env, settings):
    await choose_source(env, "yahoo")
    await make_correlated(env)
    async with browsing(settings) as http:
        page = (await http.get("/correlation")).text
    assert 'value="005930.KS AAPL IBM MSFT"' in page or 'value="AAPL IBM MSFT 005930.KS"' in page
    assert page.count('role="group"') >= 1
    assert "USDKRW=X" not in page


async def test_a_new_instrument_is_not_among_what_is_compared_at_first(env, settings):
    """With it no day would be left that all have."""
    await choose_source(env, "yahoo")
    await make_correlated(env)
    await make_instrument(env, "NEW")
    async with env.db.read() as db:
        newest = await db.scalar(select(func.max(Bar.day)))
    await make_bars(env, "NEW", [1.0, 2.0], start=newest - timedelta(days=1))
    async with browsing(settings) as http:
        answer = await http.get("/correlation")
        assert (answer.status_code, "NEW" in answer.text.split("heatmap")[1]) == (200, False)
        named = await http.get("/correlation?symbols=AAPL+NEW&range=MAX")
        assert (named.status_code, "the fewest of them for NEW" in text_of(named.text)) == (
            422,
            True,
        )


async def test_a_cell_opens_its_pair(env, settings):
    await choose_source(env, "yahoo")
    await make_correlated(env)
    async with browsing(settings) as http:
        page = (await http.get(PATH)).text
        assert "one=AAPL&amp;two=IBM#pair" in page
        assert "499 days" in text_of(page)
        assert 'id="pair"' not in page
        pair = (await http.get(f"{PATH}&one=AAPL&two=IBM")).text
    assert pair.count('r="2.2"') == 499
    assert "<polyline" in pair
    assert "Spearman" in text_of(pair)


async def test_leads_are_searched_for_on_demand(env, settings):
    await choose_source(env, "yahoo")
    await make_correlated(env)
    async with browsing(settings) as http:
        assert "AAPL → IBM" not in text_of((await http.get(PATH)).text)
        page = text_of((await http.get(f"{PATH}&leads=1")).text)
    assert "AAPL → IBM" in page
    assert "Precedes" in page
    assert "6 pairs tested" in page


async def test_what_is_wrong_stands_at_the_field_and_what_was_typed_stays(env, settings):
    await choose_source(env, "yahoo")
    await make_correlated(env)
    async with browsing(settings) as http:
        for query, says in (
            ("symbols=AAPL", "not between 2 and 500"),
            ("symbols=AAPL+NOPE", "no instrument 'NOPE'"),
            ("symbols=AAPL+IBM&range=2Y", "must be one of 1Y, 5Y, MAX"),
            ("symbols=AAPL+IBM&method=KENDALL", "must be one of PEARSON, SPEARMAN"),
            ("symbols=AAPL+IBM&one=AAPL&two=AAPL", "1 different instruments"),
        ):
            answer = await http.get(f"/correlation?{query}")
            assert answer.status_code in {400, 404, 422}
            assert says in text_of(answer.text)
            assert 'value="AAPL' in answer.text


async def test_with_less_than_two_instruments_the_page_says_what_to_do(env, settings):
    await choose_source(env, "yahoo")
    async with browsing(settings) as http:
        page = await http.get("/correlation")
    assert page.status_code == 200
    assert 'href="/universe"' in page.text
    assert "Two instruments are needed" in text_of(page.text)


def test_drawings_of_little_are_empty():
    matrix = {"rows": ["A", "B"], "columns": ["A", "B"], "values": [[1, None], [None, 1]]}
    assert [cell["level"] for row in list_cells(matrix) for cell in row["cells"]] == [
        4,
        None,
        None,
        4,
    ]
    assert draw_rolling({"time": ["2024-01-02"], "rolling": [None]})["points"] == []
    still = draw_scatter({"one": [0.0], "two": [0.0]})
    assert still["dots"] == [{"x": 160.0, "y": 160.0}]
