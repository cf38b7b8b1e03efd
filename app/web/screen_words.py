"""The words of the screener: what figures, presets and words of instruments are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.web.listing import sector_word, strength_word

Translate = Callable[[str], str]


def name_fields(_: Translate) -> dict[str, dict[str, str]]:
    """Names of what may be asked for, in the groups in which they are offered."""
    return {
        _("Price"): {
            "close": _("Close"),
            "change": _("Change"),
            "return_5": _("Return over 5 sessions"),
            "return_20": _("Return over 20 sessions"),
            "from_high": _("Below the high of a year"),
            "from_low": _("Above the low of a year"),
            "volume": _("Volume"),
            "volume_ratio": _("Volume by its mean"),
        },
        _("Indicators"): {
            "signal": _("Signal"),
            "rsi_14": "RSI (14)",
            "stochastic_k": _("Slow %K"),
            "stochastic_d": _("Slow %D"),
            "macd": "MACD",
            "macd_signal": _("MACD signal line"),
            "macd_histogram": _("MACD histogram"),
            "sma_cross": _("Cross of the averages of 50 and 200"),
            "to_sma_20": _("Above the average of 20"),
            "to_sma_50": _("Above the average of 50"),
            "to_sma_200": _("Above the average of 200"),
            "sma_20": _("Average of 20"),
            "sma_50": _("Average of 50"),
            "sma_200": _("Average of 200"),
            "band_position": _("Place in the Bollinger bands"),
            "bollinger_upper": _("Upper Bollinger band"),
            "bollinger_middle": _("Middle Bollinger band"),
            "bollinger_lower": _("Lower Bollinger band"),
        },
        _("Fundamentals"): {
            "market_cap": _("Market value"),
            "trailing_pe": "P/E",
            "forward_pe": _("Expected P/E"),
            "price_to_book": "P/B",
            "return_on_equity": _("Return on equity"),
            "dividend_yield": _("Dividend yield"),
            "gross_margin": _("Gross margin"),
            "operating_margin": _("Operating margin"),
            "net_margin": _("Net margin"),
            "debt_to_equity": _("Debt to equity"),
            "total_debt": _("Debt"),
        },
        _("Instrument"): {
            "sector": _("Sector"),
            "exchange": _("Exchange"),
            "currency": _("Currency"),
            "kind": _("Kind"),
            "current": _("Up to date"),
        },
    }


def name_presets(_: Translate) -> dict[str, tuple[str, str]]:
    """Names of the presets, each with what it asks for."""
    return {
        "OVERSOLD": (_("Oversold"), _("RSI (14) below 30")),
        "OVERBOUGHT": (_("Overbought"), _("RSI (14) above 70")),
        "GOLDEN_CROSS": (
            _("Golden cross"),
            _("The average of 50 crossed above that of 200 within five sessions"),
        ),
        "DEATH_CROSS": (
            _("Death cross"),
            _("The average of 50 crossed below that of 200 within five sessions"),
        ),
        "NEW_HIGH": (_("New high"), _("The highest close of a year")),
        "VOLUME_SURGE": (_("Volume surge"), _("Twice the mean volume of 20 sessions, or more")),
        "BOLLINGER_BREAK": (_("Bollinger break"), _("A close outside the Bollinger bands")),
        "VALUE": (_("Value shares"), _("P/E up to 15, P/B up to 1.5, return on equity from 8 %")),
        "DIVIDEND": (_("Dividends"), _("Dividend yield from 4 %")),
        "QUALITY": (
            _("Quality"),
            _("Return on equity from 15 %, net margin from 10 %, debt up to half of equity"),
        ),
    }


def name_words(_: Translate, exchanges: Mapping[str, str]) -> Callable[[str, str], str]:
    """What turns a field and one of its words into the reader's language."""
    fixed = {
        "sma_cross": {"GOLDEN": _("Golden cross"), "DEATH": _("Death cross"), "NONE": _("None")},
        "kind": {"EQUITY": _("stock"), "ETF": _("fund"), "INDEX": _("index")},
        "current": {"YES": _("Yes"), "NO": _("No")},
        "exchange": dict(exchanges),
    }

    def name(field: str, word: str) -> str:
        if field == "signal":
            known = {"STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"}
            return strength_word(word, _) if word in known else word
        if field == "sector":
            return sector_word(word, _) or word
        return fixed.get(field, {}).get(word, word)

    return name
