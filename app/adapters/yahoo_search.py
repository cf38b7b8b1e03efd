"""Yahoo's search (`/v1/finance/search`), read strictly: an answer → what the instruments are.

The answer names no currency: it is the one of the market. Hits of other markets and kinds, and
those without a symbol (companies that are not listed), are left out.
"""

from __future__ import annotations

from typing import Any

import orjson

from app.adapters.prices import InstrumentInfo, Profile, is_symbol
from app.adapters.yahoo_parse import KINDS, MICS, Malformed, tidy_name
from app.domain.korean_names import find_korean_name


def read_search(body: bytes) -> list[Profile]:
    """The hits in the order of the answer; Malformed when it is not one."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"no JSON: {error}") from error
    quotes = answer.get("quotes") if isinstance(answer, dict) else None
    if not isinstance(quotes, list):
        raise Malformed("the answer to a search has no list of quotes")
    return [hit for entry in quotes if (hit := read_hit(entry)) is not None]


def read_hit(entry: Any) -> Profile | None:
    """One hit; None for what is not supported."""
    if not isinstance(entry, dict):
        raise Malformed("a hit of the search is no object")
    symbol, exchange, kind = (entry.get(name) for name in ("symbol", "exchange", "quoteType"))
    if not isinstance(symbol, str) or not is_symbol(symbol):
        return None
    if exchange not in MICS or kind not in KINDS:
        return None
    mic = MICS[exchange]
    currency = {"XKRX": "KRW", "CCY": symbol[3:6]}.get(mic, "USD")
    if currency not in {"KRW", "USD"}:
        return None
    name = tidy_name(entry.get("longname"), entry.get("shortname"), symbol)
    local = find_korean_name(symbol)
    info = InstrumentInfo(symbol, name, mic, currency, KINDS[kind], local)
    return Profile(info, _words(entry.get("sector")), _words(entry.get("industry")))


def _words(text: object) -> str | None:
    return text[:120] if isinstance(text, str) and text.strip() else None
