"""What a chart's address says."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.web.chart_view import ChartView, first_day, read_view


def view(**query: str) -> ChartView:
    return read_view("/", "AAPL", query, named=True)


def test_the_default_view_has_the_shortest_address():
    assert view().address() == "/?symbol=AAPL"
    assert read_view("/instruments/AAPL", "AAPL", {}, named=False).address() == "/instruments/AAPL"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "range": st.sampled_from(ChartView.RANGES),
            "panes": st.sampled_from(["none", "rsi", "volume,macd", "volume,rsi,macd,bollinger"]),
            "mas": st.sampled_from(["none", "5", "20,60", "5,20,60,120"]),
            "scale": st.sampled_from(ChartView.SCALES),
            "basis": st.sampled_from(ChartView.BASES),
            "compare": st.sampled_from(["MSFT", "MSFT,IBM", "005930.KS"]),
        },
    )
)
def test_an_address_gives_back_the_view_that_made_it(query):
    first = view(**query)
    again = dict(parse_qsl(urlsplit(first.address()).query))
    assert again.pop("symbol") == "AAPL"
    assert view(**again) == first


def test_a_range_brings_the_bars_that_suit_it():
    assert [view(range=r).interval for r in ChartView.RANGES] == [
        "MINUTE_5",
        "MINUTE_15",
        "DAY",
        "DAY",
        "DAY",
        "WEEK",
        "MONTH",
    ]
    assert view(range="5y", interval="day").interval == "DAY"


def test_choosing_bars_leaves_a_range_within_days():
    assert "range" not in view(range="1D").query(without="interval")
    assert view(range="5Y").query(without="interval")["range"] == "5Y"


def test_a_toggle_takes_out_what_is_there_and_puts_in_what_is_not():
    assert view().toggled("panes", "rsi") == "volume,macd"
    assert view(panes="rsi").toggled("panes", "rsi") == "none"
    assert view().toggled("mas", "5") == "5,20,60"


def test_a_currency_pair_and_longer_bars_have_nothing_in_the_lower_panes():
    assert view().drawn("EQUITY") == ("volume", "rsi", "macd")
    assert view(interval="WEEK").drawn("EQUITY") == ("volume", "rsi", "macd")
    assert view(range="1D", interval="MINUTE_5").drawn("EQUITY") == ("volume",)
    assert view().drawn("FX") == ()


def test_a_comparison_leaves_out_the_instrument_itself_and_doubles():
    assert view(compare="msft, AAPL,ibm,MSFT").compare == ("MSFT", "IBM")


@pytest.mark.parametrize(
    "query",
    [
        {"range": "2Y"},
        {"interval": "HOUR"},
        {"range": "1D", "interval": "DAY"},
        {"panes": "rsi,volumes"},
        {"mas": "7"},
        {"scale": "square"},
        {"basis": "REAL"},
        {"compare": "A,B,C,D,E,F"},
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(query):
    with pytest.raises(BadInput) as caught:
        view(**query)
    assert caught.value.field in query


def test_ranges_are_counted_back_from_the_newest_day():
    newest = date(2012, 3, 5)
    assert first_day("YTD", newest) == date(2012, 1, 1)
    assert first_day("1Y", newest) == date(2011, 3, 5)
    assert first_day("1M", newest) == date(2012, 2, 3)
    assert first_day("MAX", newest) is None


def test_the_source_names_what_the_chart_draws():
    source = view(range="5Y", panes="rsi,volume").source
    assert source.startswith("/api/candles/AAPL?")
    query = dict(parse_qsl(urlsplit(source).query))
    assert query["range"] == "5Y"
    assert query["panes"] == "rsi"
    assert "/api/candles/%5EKS11?" in read_view("/", "^KS11", {}, named=True).source


def test_another_symbol_keeps_the_rest_of_the_view():
    assert view(range="5Y").address(symbol="MSFT") == "/?symbol=MSFT&range=5Y"
    assert view(range="5Y").suffix == "?range=5Y"
    assert view().suffix == ""


def test_an_example_to_compare_with_is_never_the_instrument_itself():
    assert "MSFT" not in read_view("/", "MSFT", {}, named=True).example
    assert read_view("/", "005930.KS", {}, named=True).example == "000660.KS,069500.KS"
