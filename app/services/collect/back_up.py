"""Another provider's prices: as a back-up when the first one has none, or because somebody says so.

They are never joined with those that are stored, row by row: the other provider's whole history
takes the place of all rows, and the instrument stays with that provider until somebody says
otherwise (`use_source`) or the order of sources no longer has it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from app.adapters.prices import History, describe
from app.env import Env
from app.errors import BadInput
from app.services.collect.storing import (
    NO_DATA,
    NOT_LISTED,
    STORED,
    SUPERSEDED,
    UNCHANGED,
    CollectionOutcome,
    Target,
    find_target,
    store_answer,
)
from app.services.market.instruments import refusal
from app.services.sources.asking import ask_in_turn
from app.services.work.events import announce

BACK_UP_AFTER: Final = timedelta(days=5)  # of failures, until another provider is asked

_log = logging.getLogger(__name__)


async def ask_back_up(env: Env, target: Target, failed: CollectionOutcome) -> CollectionOutcome:
    """Has another provider of the order take over if it is time and one has what is missing.

    It is time when nothing is stored and the provider does not know the symbol or has no prices of
    it, or when it has failed for `BACK_UP_AFTER`. `failed`, with what the others said, when none
    takes over.
    """
    if not _is_time(env, target, failed):
        return failed
    said = []
    for provider in target.order.providers:
        sources = target.order.having(provider)
        if provider == target.provider or not sources:
            continue
        symbol, currency = target.symbol, target.instrument.currency
        asked = await ask_in_turn(sources, symbol, currency=currency)
        if not isinstance(asked.answer, History):
            said.append(f"{provider}: {describe(asked.answer)}")
        elif not _brings_more(asked.answer, target):
            said.append(f"{provider}: nothing newer")
        else:
            outcome = await store_answer(env, target, provider, asked.answer, whole=True)
            if outcome.outcome in {STORED, UNCHANGED}:
                why = f"Instead of {target.provider}: {failed.detail}"
                await _tell(env, target, provider, why)
                return replace(outcome, detail=f"All prices are of {provider} now. {why}")
            if outcome.outcome == SUPERSEDED:
                return outcome
            said.append(f"{provider}: {outcome.detail}")
    return replace(failed, detail=f"{failed.detail} ({'; '.join(said)})") if said else failed


async def use_source(env: Env, symbol: str, provider: str) -> CollectionOutcome:
    """Replaces an instrument's prices by all those of a provider of its order, and stays with it.

    The outcome is HELD, and nothing is replaced, when they contradict what is stored.

    Raises:
        NotFound: there is no such instrument.
        BadInput: the order has no such provider, or that one does not know the symbol.
        RateLimited, Unavailable: the provider does not answer now.
    """
    target = await find_target(env, symbol)
    if provider not in target.order.providers:
        msg = "There is no source %(name).40r in the order of %(symbol)s; there are %(known)s"
        known = ", ".join(target.order.providers)
        raise BadInput(msg, field="provider", name=provider, symbol=target.symbol, known=known)
    sources = target.order.of(provider)
    asked = await ask_in_turn(sources, target.symbol, currency=target.instrument.currency)
    if not isinstance(asked.answer, History):
        raise refusal(asked.answer, asked.source.name, target.symbol)
    outcome = await store_answer(env, target, provider, asked.answer, whole=True)
    if outcome.outcome in {STORED, UNCHANGED}:
        await announce(env, "collected", symbol=target.symbol, bars=outcome.bars)
        await _tell(env, target, provider, "It was chosen.")
    return outcome


def _is_time(env: Env, target: Target, failed: CollectionOutcome) -> bool:
    if target.newest is None and failed.outcome in {NOT_LISTED, NO_DATA}:
        return True
    since = target.failing_since
    return since is not None and env.clock.now() - since >= BACK_UP_AFTER


def _brings_more(history: History, target: Target) -> bool:
    """Whether it has a finished day that is missing: no history is given up for an older one."""
    ended = history.bars.filter(pl.col("day") <= target.finished, pl.col("close").is_not_null())
    last = ended["day"].max()
    return isinstance(last, date) and (target.newest is None or last > target.newest)


async def _tell(env: Env, target: Target, provider: str, why: str) -> None:
    if provider == target.provider and target.holder in {None, provider}:
        return
    facts = {"symbol": target.symbol, "source": provider}
    _log.warning("prices of another source", extra=facts | {"before": target.holder, "why": why})
    await announce(env, "price_source", **facts)
