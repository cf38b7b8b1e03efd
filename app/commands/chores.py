"""The chores of `app.services.setup`, loaded only when there is something to do.

A start with nothing to do does not wait for pandas and numba.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from app.env import Env


class LazyChores:
    """Sessions from the calendar library, indicators from the compiled kernels."""

    async def refresh_sessions(self, env: Env) -> None:
        """Makes the table of sessions."""
        module = importlib.import_module("app.services.market.calendar_refresh")
        await module.refresh_sessions(env)

    async def analyse(self, env: Env, symbols: list[str], advance: Callable[[], None]) -> None:
        """Computes the indicators of these instruments; calls `advance` after each."""
        module = importlib.import_module("app.services.signals.analysis")
        for symbol in symbols:
            await module.analyse(env, symbol, whole=True)
            advance()
