"""The order of sources: which ones are asked for an instrument's prices, and in which order.

`SISE_SOURCE_ORDER` gives the order by exchange, for an installation whose mode is live (`yahoo`);
the sample is asked for everything in one that has chosen it. A source that this process has not
(yfinance outside of workers) is passed over. Sources of one provider have the same prices, so that
their rows may stand side by side; rows of two providers never do.

Prices within a session, live or as bars of minutes, are for looking at and never stored: any
reader of the providers in the order may bring them, and no other host is asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.adapters.prices import PriceSource
from app.config import ANY_EXCHANGE
from app.domain.symbol_list import guess_listing
from app.env import Env
from app.errors import Unavailable
from app.services.settings import get_source

SAMPLE: Final = "sample"
OTHER_PROVIDERS: Final[Mapping[str, str]] = {"yfinance": "yahoo"}
"""Sources whose prices are another one's; every other source is its own provider."""


@dataclass(frozen=True)
class Order:
    """The names of the sources of an instrument, and those of them that this process has."""

    mode: str
    names: tuple[str, ...]
    sources: list[PriceSource]

    @property
    def providers(self) -> list[str]:
        """Whose prices they are, the first one first, whether they can be asked here or not."""
        return providers_of(self.names)

    def having(self, provider: str) -> list[PriceSource]:
        """The sources with that provider's prices that this process has."""
        return [source for source in self.sources if source.provider == provider]

    def of(self, provider: str) -> list[PriceSource]:
        """The sources with that provider's prices; at least one.

        Raises:
            Unavailable: this process has none of them.
        """
        found = self.having(provider)
        if not found:
            msg = "None of the price sources %(names)s can be asked here. See SISE_SOURCE_ORDER."
            names = [n for n in self.names if OTHER_PROVIDERS.get(n, n) == provider]
            raise Unavailable(msg, names=", ".join(names))
        return found


@dataclass(frozen=True)
class Reach:
    """What the sources of an exchange, by their `names`, have beside daily bars."""

    names: tuple[str, ...]
    intraday: bool
    live: bool


async def find_order(env: Env, mic: str | None, symbol: str) -> Order:
    """The order for an instrument; `mic` None: the exchange is guessed from the symbol.

    Raises:
        Unavailable: no mode has been chosen yet.
    """
    mode = await get_source(env)
    names: tuple[str, ...] = (SAMPLE,)
    if mode != SAMPLE:
        names = order_of(env, guess_exchange(symbol) if mic is None else mic)
    return Order(mode, names, [env.sources[name] for name in names if name in env.sources])


async def list_sources(env: Env, mic: str | None, symbol: str) -> list[PriceSource]:
    """The sources to ask for an instrument that this process has, the first one first.

    Raises:
        Unavailable: no mode has been chosen yet.
    """
    return (await find_order(env, mic, symbol)).sources


def order_of(env: Env, mic: str) -> tuple[str, ...]:
    """The names of the sources of an exchange while the mode is live."""
    order = env.settings.source_order
    return order.get(mic, order[ANY_EXCHANGE])


def providers_of(names: Iterable[str]) -> list[str]:
    """Whose prices those sources have, each once."""
    return list(dict.fromkeys(OTHER_PROVIDERS.get(name, name) for name in names))


def first_live(env: Env) -> PriceSource | None:
    """The source that the live mode asks first for most exchanges; None: there is none here."""
    return next(iter(_readers(env, order_of(env, ANY_EXCHANGE))), None)


def guess_exchange(symbol: str) -> str:
    """The exchange by the symbol's shape: Korea, the currency market, else `*`."""
    mic = guess_listing(symbol).mic
    return mic if mic in {"XKRX", "CCY"} else ANY_EXCHANGE


async def list_providers(env: Env, mic: str, symbol: str) -> list[str]:
    """Whose prices an instrument can have here, in the order of its exchange.

    Raises:
        Unavailable: no mode has been chosen yet.
    """
    order = await find_order(env, mic, symbol)
    return [provider for provider in order.providers if order.having(provider)]


async def list_intraday(env: Env, mic: str, minutes: int) -> list[PriceSource]:
    """The sources to ask for bars of so many minutes, the first one first; none: there are none.

    Raises:
        Unavailable: no mode has been chosen yet.
    """
    names = await _names(env, mic)
    return [source for source in _readers(env, names) if minutes in source.minutes]


def list_live(env: Env, mic: str) -> list[PriceSource]:
    """The sources whose prices move during a session, the first one first, in live mode."""
    return [source for source in _readers(env, order_of(env, mic)) if source.live]


async def find_reach(env: Env, mic: str) -> Reach:
    """What there is of an exchange beside daily bars.

    Raises:
        Unavailable: no mode has been chosen yet.
    """
    names = await _names(env, mic)
    readers = _readers(env, names)
    return Reach(names, any(s.minutes for s in readers), any(s.live for s in readers))


async def _names(env: Env, mic: str) -> tuple[str, ...]:
    return (SAMPLE,) if await get_source(env) == SAMPLE else order_of(env, mic)


def _readers(env: Env, names: Iterable[str]) -> list[PriceSource]:
    """Every source of this process with prices of the providers, in the order of these."""
    known = env.sources.values()
    return [s for provider in providers_of(names) for s in known if s.provider == provider]
