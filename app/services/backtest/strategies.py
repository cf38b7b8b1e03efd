"""Which strategies there are: a worker that can run them has told so, with their parameters."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

import orjson

from app.domain.backtest.parameters import StrategyInfo, choose_strategy
from app.env import Env
from app.errors import Unavailable
from app.services.settings import find_setting, put_setting

LOG: Final = logging.getLogger(__name__)
KEY: Final = "strategies"


async def list_strategies(env: Env) -> list[StrategyInfo]:
    """The built-in ones, then the operator's own; none before a worker has ever started."""
    stored: list[dict[str, Any]] = await find_setting(env, KEY) or []
    return [StrategyInfo.load(one) for one in stored]


async def expect_runs(env: Env) -> None:
    """Has the worker read its compiled loops, which it does without until somebody looks here."""
    try:
        await env.queue.enqueue("read_loops", queue="long", job_id="read_loops")
    except Unavailable:
        LOG.warning("loops not asked for")


async def get_strategy(env: Env, key: str) -> StrategyInfo:
    """The one of that key.

    Raises:
        BadInput: there is none.
    """
    return choose_strategy({one.key: one for one in await list_strategies(env)}, key)


async def tell_strategies(env: Env, strategies: Iterable[StrategyInfo]) -> None:
    """Says which there are, for who cannot load them."""
    told = [orjson.loads(orjson.dumps(asdict(one))) for one in strategies]
    await put_setting(env, KEY, told)
