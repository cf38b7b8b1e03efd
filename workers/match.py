"""A look at the market every second, for alerts and paper orders: a replayed price lasts two."""

from __future__ import annotations

import asyncio
from typing import Any

from app.env import Env
from app.services.alerts.alert_watch import watch_quotes, watch_replay
from app.services.trading.matching import match_orders
from workers.pace import Pace


async def match_tick(ctx: dict[str, Any]) -> None:
    """The cron job of the quick queue.

    Raises:
        Unavailable: the database does not answer; the next look begins anew.
    """
    env: Env = ctx["env"]
    pace: Pace = ctx["pace"]
    async with asyncio.timeout(pace.deadline):
        await watch_quotes(env, ctx.setdefault("watched", {}))
        ctx["replayed"] = await watch_replay(env, ctx.get("replayed"))
        await match_orders(env)
