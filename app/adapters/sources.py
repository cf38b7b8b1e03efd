"""The price sources by name, those that every process may load."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from app.adapters.folder import FolderSource
from app.adapters.krx import NAVER, KrxSource
from app.adapters.politeness import Politeness
from app.adapters.prices import PriceSource
from app.adapters.sample import SampleSource
from app.adapters.yahoo import YahooSource
from app.config import Settings

LIGHT: Final = ("yahoo", "sample", "krx", "folder")


class Hosts:
    """One `Politeness` for each host that this process asks, whatever it asks it for.

    Each may be asked `SISE_REQUESTS_PER_MINUTE` times a minute, a tenth of it at once.
    """

    def __init__(
        self, settings: Settings, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._settings, self._sleep = settings, sleep
        self._known: dict[str, Politeness] = {}

    def at(self, url: str) -> Politeness:
        """The manners towards the host of that address."""
        host = urlsplit(url).netloc
        if host not in self._known:
            per_minute = self._settings.requests_per_minute
            clock = self._settings.clock
            self._known[host] = Politeness(
                now=clock.now,
                rate=clock.rate,
                per_minute=per_minute,
                burst=per_minute // 10 or 1,
                sleep=self._sleep,
            )
        return self._known[host]


def make_source(name: str, settings: Settings, hosts: Hosts | None = None) -> PriceSource:
    """The source of that name: one of `LIGHT`; `folder` needs `SISE_PRICE_FOLDER`."""
    hosts = hosts or Hosts(settings)
    now = settings.clock.now
    match name:
        case "yahoo":
            return YahooSource(settings.yahoo_url, now=now, host=hosts.at(settings.yahoo_url))
        case "krx":
            return KrxSource(
                settings.naver_url, now=now, host=hosts.at(settings.naver_url or NAVER)
            )
        case "folder" if settings.price_folder is not None:
            return FolderSource(settings.price_folder)
        case "sample":
            return SampleSource()
    raise ValueError(f"there is no price source {name}")


def make_sources(settings: Settings, hosts: Hosts | None = None) -> dict[str, PriceSource]:
    """All that every process may load; `folder` only where its folder is set."""
    hosts = hosts or Hosts(settings)
    names = LIGHT if settings.price_folder is not None else LIGHT[:-1]
    return {name: make_source(name, settings, hosts) for name in names}
