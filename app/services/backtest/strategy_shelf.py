"""The strategies that can be run: the built-in ones, and those of the operator's folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from app.adapters.strategy_files import read_sources
from app.config import Settings
from app.domain.backtest.loader import load_strategies
from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.strategy import Strategy
from app.env import Env
from app.errors import BadInput
from app.services.backtest.strategies import tell_strategies

LOG: Final = logging.getLogger(__name__)

Shelf = Mapping[str, Strategy]


def load_shelf(settings: Settings) -> Shelf:
    """All strategies by key; a file that cannot be used is told in the log and passed over.

    Raises:
        ConfigError: the operator's folder cannot be read.
    """
    shelf: dict[str, Strategy] = dict(STRATEGIES)
    for file, source in read_sources(settings.strategy_dir):
        try:
            shelf |= _load_file(source, file, shelf)
        except BadInput as error:
            LOG.warning("strategies not loaded", extra={"file": file, "why": str(error)})
    return shelf


def _load_file(source: str, file: str, shelf: Shelf) -> dict[str, Strategy]:
    own = {one.key: one for one in load_strategies(source, file)}
    taken = sorted(set(own) & set(shelf))
    if taken:
        message = "The key %(key)s in %(file)s is taken by another file"
        raise BadInput(message, field="file", key=taken[0], file=file)
    return own


async def set_up_shelf(env: Env) -> Shelf:
    """Loads them and tells everybody which there are: for the start of a worker."""
    shelf = load_shelf(env.settings)
    await tell_strategies(env, [one.info for one in shelf.values()])
    return shelf
