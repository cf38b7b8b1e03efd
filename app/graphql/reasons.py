"""Why something is not as it could be, in words for the reader, in the reader's language.

What an exchange's sources have not; a row in quarantine by its reason; a collection that brought
nothing by its outcome and, where no answer came at all, by what the network said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.domain.acceptance import Reason
from app.services.market.symbol_search import TITLES
from app.services.sources.source_order import SAMPLE
from app.translations import N_, Locale, load_translations

_QUARANTINED: Final = {
    Reason.INCOMPLETE: N_("A price of the session is missing."),
    Reason.NOT_POSITIVE: N_("A price is no number above zero."),
    Reason.UNORDERED: N_("The low is above another price, or the high below one."),
    Reason.BAD_VOLUME: N_("The volume is below zero."),
    Reason.NO_SESSION: N_("The exchange had no session that day."),
    Reason.OUT_OF_ORDER: N_("The day came twice, or after a later one."),
    Reason.STALE_REPEAT: N_(
        "Nothing was traded and all four prices are the close before: the source may have "
        "repeated an old price."
    ),
    Reason.BEYOND_LIMIT: N_(
        "The move is larger than the exchange allows in a session, and no split or dividend "
        "explains it."
    ),
    Reason.UNADJUSTED_SPLIT: N_(
        "The price moved as it does in a split, and the source names no split."
    ),
    Reason.SCALED: N_("All prices are off by one factor, as after a split that only one side has."),
    Reason.TOO_LARGE: N_("The dividend is a fifth of the price or more."),
}

_FAILED: Final = {
    "NOT_LISTED": N_("The source does not know this symbol."),
    "NO_DATA": N_("The source has no prices for these days."),
    "RATE_LIMITED": N_("The source has had too many questions and asks to wait."),
    "BAD_PAYLOAD": N_("The answer of the source breaks its own rules; nothing of it was stored."),
    "HELD": N_("The answer contradicts what is stored; it waits for a decision."),
    "LATE": N_("The source does not have the day yet."),
    "SUPERSEDED": N_("The price source was switched meanwhile."),
    "KILLED": N_("The worker ended during every try."),
    "TIMEOUT": N_("It took too long."),
    "UNAVAILABLE": N_("A part of this installation did not answer."),
    "ERROR": N_("Something unexpected went wrong; the log has it."),
}

_OURS: Final = frozenset(
    {
        *("NOT_LISTED", "RATE_LIMITED", "LATE", "TIMEOUT", "KILLED"),
        *(Reason.INCOMPLETE, Reason.NOT_POSITIVE, Reason.UNORDERED, Reason.BAD_VOLUME),
        *(Reason.NO_SESSION, Reason.OUT_OF_ORDER, Reason.STALE_REPEAT),
    }
)
"""Outcomes whose detail says the sentence again; others' words stand in brackets behind."""

_OTHERS: Final = re.compile(r"\((.+)\)$")

_DOWN: Final = (
    (
        re.compile(
            r"\(6\)|resolve|getaddrinfo|name resolution|Name or service|nodename|\(7\)"
            r"|[Ff]ailed to connect|[Nn]etwork is unreachable|No route to host|refused",
        ),
        N_("No network or DNS: the source cannot be reached from here."),
    ),
    (
        re.compile(r"\(28\)|[Tt]imed? ?out|no answer within"),
        N_("The source did not answer in time."),
    ),
    (
        re.compile(r"\((?:35|60)\)|SSL|TLS|[Cc]ertificate"),
        N_("No secure connection to the source could be made."),
    ),
    (re.compile(r"the answer was 5\d\d"), N_("The source answers with an error of its own.")),
)
_SILENT: Final = N_("The source does not answer.")


def why_quarantined(reason: Reason, locale: Locale) -> str:
    """Why a row is not believed."""
    return load_translations(locale).gettext(_QUARANTINED[reason])


def why_not_fresh(cause: str | None, detail: str | None, locale: Locale) -> str | None:
    """Why the newest day is not there: its row is held, or the last collection failed."""
    if cause in set(Reason):
        return why_quarantined(Reason(cause), locale)
    return why_failed(cause, detail, locale)


def why_failed(outcome: str | None, detail: str | None, locale: Locale) -> str | None:
    """Why a collection brought nothing: None where there is nothing to tell.

    An outcome without a sentence of its own is told by `detail`, as it is.
    """
    if outcome is None or (outcome not in _FAILED and outcome != "SOURCE_DOWN"):
        return detail
    gettext = load_translations(locale).gettext
    if outcome != "SOURCE_DOWN":
        return gettext(_FAILED[outcome])
    said = detail or ""
    return gettext(next((text for pattern, text in _DOWN if pattern.search(said)), _SILENT))


def said_beside(outcome: str | None, detail: str | None) -> str | None:
    """What was said, in English, beyond the sentence on that outcome; None where nothing was."""
    if outcome in _OURS:
        others = _OTHERS.search(detail or "")
        return others and others[1]
    told = outcome in _FAILED or outcome in set(Reason) or outcome == "SOURCE_DOWN"
    return detail if told else None


def why_daily_only(names: Iterable[str], locale: Locale) -> str:
    """Why there are no bars within days of an exchange with those sources."""
    gettext = load_translations(locale).gettext
    if SAMPLE in names:
        return gettext("The sample has daily prices only.")
    words = "The sources of this exchange (%(sources)s) have daily prices only."
    return gettext(words) % {"sources": _titles(names)}


def why_not_live(names: Iterable[str], locale: Locale) -> str | None:
    """Why there are no live prices of an exchange with those sources; the sample is replayed."""
    if SAMPLE in names:
        return None
    gettext = load_translations(locale).gettext
    words = (
        "The sources of this exchange (%(sources)s) have no live prices: this is the last "
        "stored close."
    )
    return gettext(words) % {"sources": _titles(names)}


def _titles(names: Iterable[str]) -> str:
    return ", ".join(TITLES.get(name, name) for name in names)
