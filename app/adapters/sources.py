"""The price sources by name."""

from __future__ import annotations

from app.adapters.prices import PriceSource
from app.adapters.sample import SampleSource
from app.adapters.yahoo import YahooSource
from app.config import Settings


def make_source(name: str, settings: Settings) -> PriceSource:
    """The source of that name: `yahoo` or `sample`."""
    if name == "yahoo":
        return YahooSource(settings.yahoo_url, now=settings.clock.now)
    return SampleSource()
