"""From one stream of quotes to many readers: a mailbox each, never a queue.

Readers of the same symbols form a group. Changes gather in the group, the newest per symbol, and
are handed out at most every `INTERVAL` seconds as one `Delta`, which all mailboxes of the group
share: what is rendered from it is rendered once. A reader that does not keep up has its deltas
merged, so that it holds at most one value per symbol however long it sleeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from functools import cached_property
from typing import Any, Final

from app.domain.quotes import Quote

INTERVAL: Final = 0.25
"""Seconds between two deltas of a group: at most four a second."""

SPACING: Final = 0.8 * INTERVAL
"""Seconds between two items of a reader that took one late: less than the interval, so that a
reader in step with its group never waits for a timer of its own."""

Frame = dict[str, list[Any]]
"""Columns of equal length: symbol, price, change, changePercent, at, day, state."""


class Delta:
    """Quotes that changed together, or all of them (`whole`). Shared: nobody alters it."""

    def __init__(self, quotes: Mapping[str, Quote], *, whole: bool = False) -> None:
        self.quotes = dict(quotes)
        self.whole = whole

    def without(self, known: Delta) -> Delta:
        """The delta less what `known` says just so: itself when that is nothing, or it is whole."""
        if self.whole:
            return self
        fresh = {s: quote for s, quote in self.quotes.items() if known.quotes.get(s) != quote}
        return self if len(fresh) == len(self.quotes) else Delta(fresh)

    @cached_property
    def frame(self) -> Frame:
        """The quotes as columns, made once however many readers ask."""
        return make_frame(self.quotes.values())


class Mailbox:
    """What one reader has not taken yet."""

    def __init__(self) -> None:
        self._waiting: Delta | None = None
        self._filled = asyncio.Event()

    def put(self, delta: Delta) -> None:
        """Adds a delta; with one still waiting the newer value of each symbol stays."""
        if self._waiting is not None:
            whole = self._waiting.whole or delta.whole
            delta = Delta(self._waiting.quotes | delta.quotes, whole=whole)
        self._waiting = delta
        self._filled.set()

    async def take(self, not_before: float = 0.0) -> Delta:
        """Waits for something, and for an instant of the loop's clock, then empties the box."""
        while True:
            await self._filled.wait()
            early = not_before - asyncio.get_running_loop().time()
            if early > 0:
                await asyncio.sleep(early)
            delta, self._waiting = self._waiting, None
            self._filled.clear()
            if delta is not None:
                return delta


class Group:
    """The readers of one set of symbols; `version` counts its changes."""

    def __init__(self, symbols: frozenset[str]) -> None:
        self.symbols = symbols
        self.mailboxes: set[Mailbox] = set()
        self.version = 0
        self.snapshot: Delta | None = None
        self.making = asyncio.Lock()
        self._changed: dict[str, Quote] = {}
        self._whole = False
        self._handed_out = -INTERVAL
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> bool:
        """Whether there are changes that have not been handed out."""
        return bool(self._changed)

    def push(self, quote: Quote, *, whole: bool = False) -> None:
        """Notes a change; it is handed out when the interval since the last delta has passed."""
        self._whole = self._whole or whole
        self._changed[quote.symbol] = quote
        self.version += 1
        self.snapshot = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._handed_out + INTERVAL)
            self._timer = loop.call_at(due, self.hand_out)

    def close(self) -> None:
        """Stops the timer: nobody is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hand_out(self) -> None:
        """Gives every mailbox what has changed since the last time."""
        self.close()
        self._handed_out = asyncio.get_running_loop().time()
        delta = Delta(self._changed, whole=self._whole)
        self._changed, self._whole = {}, False
        for mailbox in self.mailboxes:
            mailbox.put(delta)


class FanOut:
    """All groups, and which of them a symbol concerns."""

    def __init__(self) -> None:
        self._groups: dict[frozenset[str], Group] = {}
        self._by_symbol: dict[str, set[Group]] = {}

    def push(self, quotes: Iterable[Quote], *, whole: bool = False) -> None:
        """Hands changed quotes to the groups that they concern.

        `whole`: these are all quotes; readers get theirs although they have not changed.
        """
        for quote in quotes:
            for group in self._by_symbol.get(quote.symbol, ()):
                group.push(quote, whole=whole)

    def forget_snapshots(self) -> None:
        """Has the next reader of each group make its snapshot anew."""
        for group in self._groups.values():
            group.snapshot = None

    @contextmanager
    def join(self, symbols: frozenset[str]) -> Iterator[tuple[Group, Mailbox]]:
        """A mailbox in the group of these symbols, for the block."""
        group = self._groups.get(symbols)
        if group is None:
            group = self._groups[symbols] = Group(symbols)
            for symbol in symbols:
                self._by_symbol.setdefault(symbol, set()).add(group)
        mailbox = Mailbox()
        group.mailboxes.add(mailbox)
        try:
            yield group, mailbox
        finally:
            group.mailboxes.discard(mailbox)
            if not group.mailboxes:
                self._drop(group)

    def _drop(self, group: Group) -> None:
        group.close()
        del self._groups[group.symbols]
        for symbol in group.symbols:
            self._by_symbol[symbol].discard(group)
            if not self._by_symbol[symbol]:
                del self._by_symbol[symbol]


def make_frame(quotes: Iterable[Quote]) -> Frame:
    """Quotes as columns of JSON values; prices as texts, so that no digit is lost."""
    rows = list(quotes)
    changes = [quote.change for quote in rows]
    return {
        "symbol": [quote.symbol for quote in rows],
        "price": [str(quote.price) for quote in rows],
        "change": [None if change is None else str(change) for change in changes],
        "changePercent": [quote.change_percent for quote in rows],
        "at": [quote.at.astimezone(UTC).isoformat().replace("+00:00", "Z") for quote in rows],
        "day": [quote.day.isoformat() for quote in rows],
        "state": [quote.state.value for quote in rows],
    }
