"""Rows of the pages."""

from __future__ import annotations

from datetime import UTC, datetime

from app.web.listing import (
    EVENTS_SHOWN,
    find_behind,
    find_other_name,
    group_instruments,
    list_bars,
    list_clocks,
    list_events,
    list_votes,
    sector_word,
    strength_word,
    title_of,
    when,
)

NOW = datetime(2026, 11, 23, 5, 31, tzinfo=UTC)  # 14:31 in Seoul, 00:31 in New York


def same(message: str) -> str:
    """English is its own translation."""
    return message


def row(symbol: str, zone: str, *, kind: str = "EQUITY", currency: str = "USD"):
    return {"symbol": symbol, "kind": kind, "currency": currency, "exchange": {"timeZone": zone}}


def test_the_watchlist_is_grouped_by_market_with_indices_and_rates_last():
    rows = [
        row("^GSPC", "America/New_York", kind="INDEX"),
        row("AAPL", "America/New_York"),
        row("005930.KS", "Asia/Seoul", currency="KRW"),
        row("SPY", "America/New_York", kind="ETF"),
    ]
    groups = group_instruments(rows, same)
    found = [(g["title"], g["currency"], [it["symbol"] for it in g["instruments"]]) for g in groups]
    assert found == [
        ("Korea", "KRW", ["005930.KS"]),
        ("United States", "USD", ["AAPL", "SPY"]),
        ("Indices and currencies", None, ["^GSPC"]),
    ]


def test_an_exchange_elsewhere_has_a_group_of_its_own():
    rows = [row("SAP.DE", "Europe/Berlin", currency="EUR"), row("7203.T", "Asia/Tokyo")]
    assert [(g["title"], g["currency"]) for g in group_instruments(rows, same)] == [
        ("Elsewhere", None)
    ]


def test_there_is_one_clock_a_zone_with_its_next_change():
    def market(mic, zone, *, is_open):
        hours = {"openAt": "2026-11-23T14:30:00Z", "closeAt": "2026-11-23T06:30:00Z"}
        return {"mic": mic, "timeZone": zone, "open": is_open, **hours}

    markets = [
        market("XKRX", "Asia/Seoul", is_open=True),
        market("XNYS", "America/New_York", is_open=False),
        market("XNAS", "America/New_York", is_open=True),
    ]
    clocks = list_clocks(markets, NOW, "en", same)
    assert [(c["title"], c["open"], c["next"]) for c in clocks] == [
        ("Korea", True, "15:30"),
        ("US", False, "09:30"),
    ]


def test_an_instant_on_another_day_is_said_with_its_day():
    assert when("2026-11-24T00:00:00Z", "Asia/Seoul", NOW, "ko") == "화 09:00"
    assert when("2026-11-24T00:00:00Z", "Asia/Seoul", NOW, "en") == "Tue 09:00"
    assert when("2026-12-24T00:00:00Z", "Asia/Seoul", NOW, "en") == "12/24 09:00"
    assert when(None, "Asia/Seoul", NOW, "en") is None


def test_splits_and_dividends_stand_together_the_newest_first():
    it = {
        "currency": "USD",
        "splits": [{"day": "2020-08-31", "numerator": "4", "denominator": "1"}],
        "dividends": [
            {"day": "2020-08-07", "amount": "0.82"},
            {"day": "2020-11-06", "amount": "0.205"},
        ],
    }
    events = [(e["day"], e["label"], e["amount"]) for e in list_events(it, "en", same)]
    assert events == [
        ("2020-11-06", "Dividend", "$0.21"),
        ("2020-08-31", "Split", "4 : 1"),
        ("2020-08-07", "Dividend", "$0.82"),
    ]


def test_bars_are_rows_with_the_newest_first():
    columns = {name: [1, 2] for name in ("open", "high", "low", "close", "volume")}
    rows = list_bars({"time": ["2025-01-06", "2025-01-07"], **columns})
    assert [row["time"] for row in rows] == ["2025-01-07", "2025-01-06"]
    assert rows[0]["volume"] == 2
    rates = list_bars({"time": ["2025-01-06"], "close": [1460.5]})
    assert rates == [
        {"time": "2025-01-06", "close": 1460.5, "open": None, "high": None, "low": None}
        | {"volume": None}
    ]


def test_a_long_history_of_events_is_cut():
    dividends = [{"day": f"20{year}-01-02", "amount": "1"} for year in range(10, 40)]
    it = {"currency": "USD", "splits": [], "dividends": dividends}
    events = list_events(it, "en", same)
    assert len(events) == EVENTS_SHOWN
    assert events[0]["day"] == "2039-01-02"


def test_votes_and_what_they_come_to_are_words():
    votes = [
        {"indicator": "RSI", "direction": "BUY", "sentence": "Because."},
        {"indicator": "MACD_CROSS", "direction": "NEUTRAL", "sentence": "No."},
    ]
    assert list_votes({"votes": votes}, same) == [
        {"indicator": "RSI (14)", "word": "Buy", "sentence": "Because."},
        {"indicator": "MACD cross", "word": "Neutral", "sentence": "No."},
    ]
    assert strength_word("STRONG_SELL", same) == "Strong sell"


def test_the_other_name_is_the_one_that_the_title_does_not_show():
    it = {"name": "Apple Inc.", "nameLocal": "애플"}
    assert find_other_name(it, "ko") == "Apple Inc."
    assert find_other_name(it, "en") == "애플"
    assert find_other_name({"name": "Apple Inc.", "nameLocal": None}, "en") == "Apple Inc."
    assert find_other_name({"name": "SPY", "nameLocal": None}, "en") is None


def test_a_title_has_name_and_symbol_once():
    apple = {"symbol": "AAPL", "name": "Apple Inc.", "nameLocal": "애플"}
    assert [title_of(apple, locale) for locale in ("ko", "en")] == ["애플 AAPL", "Apple AAPL"]
    ibm = {"symbol": "IBM", "name": "International Business Machines", "nameLocal": "IBM"}
    assert title_of(ibm, "ko") == "IBM"


def test_a_sector_that_is_not_known_stays_as_the_source_spells_it():
    assert sector_word("Technology", str.upper) == "TECHNOLOGY"
    assert sector_word("Shell Companies", str.upper) == "Shell Companies"
    assert sector_word(None, same) is None


def test_the_reason_that_most_of_the_late_instruments_share_is_told():
    def it(state, reason=None):
        return {"freshness": {"state": state, "reason": reason}}

    rows = [it("ON_TIME", "old"), it("LATE", "down"), it("PARTIAL", "odd"), it("LATE", "down")]
    assert find_behind(rows) == {"count": 3, "reason": "down"}
    assert find_behind([it("LATE"), it("HALTED")]) == {"count": 1, "reason": None}
    assert find_behind([]) == {"count": 0, "reason": None}
