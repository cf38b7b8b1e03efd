"""What the local Yahoo knows and remembers, and whether anybody has come since it was reset."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.clock import Clock
from tests.fakes.figures import Figures
from tests.fakes.listings import Listing


class State:
    """What the server knows and remembers."""

    def __init__(
        self, listings: dict[str, Listing], latency: float, clock: Clock | None = None
    ) -> None:
        self.pristine, self.usual_latency = listings, latency
        self.clock = clock  # None: all that is listed has happened
        self.journal: Path | None = None
        self.random = Random(1)
        self.sockets: dict[WebSocket, set[str]] = {}
        self.reset()

    def note(self, **entry: Any) -> None:
        """Appends a line to the journal, which outlives the process."""
        if self.journal is not None:
            with self.journal.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(entry) + "\n")

    def reset(self) -> None:
        self.listings = dict(self.pristine)
        self.figures = Figures()
        self.latency = self.usual_latency
        self.faults: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self.touched = False  # by a question or a message, since then

    def take_fault(self, symbol: str) -> dict[str, Any]:
        """The first fault set for the symbol or for `*`; one with `times` wears out.

        One with `chance` strikes that share of the questions.
        """
        for fault in self.faults:
            unlucky = self.random.random() < fault.get("chance", 1.0)
            if fault["symbol"] in {symbol, "*"} and fault.get("times") != 0 and unlucky:
                if fault.get("times") is not None:
                    fault["times"] -= 1
                return fault
        return {"kind": "ok"}


class Noticing:
    """Notes that somebody has come."""

    def __init__(self, app: ASGIApp, *, state: State) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        self.state.touched = True
        await self.app(scope, receive, send)
