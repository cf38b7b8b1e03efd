"""Strategies of the operator's own: classes in a Python file, beside the built-in ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from traceback import walk_tb
from types import ModuleType
from typing import Any, Final

import polars as pl

from app.domain.backtest.history import History
from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.strategy import Decision, Strategy, Values
from app.errors import BadInput

_FAILURES: Final = (
    ArithmeticError, AttributeError, ImportError, LookupError, NameError, RuntimeError, SyntaxError,
    TypeError, ValueError, pl.exceptions.PolarsError,
)  # fmt: skip


def load_strategies(source: str, file: str) -> list[Strategy]:
    """The strategies that a file of this source defines, in its order.

    The source is run: it is the operator's own and may do what the process may.

    Raises:
        BadInput: the file cannot be run, defines no strategy, or one without a key, a name or a
            description, or one whose key is taken.
    """
    module = ModuleType(f"strategies.{file}")
    try:
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102 - see above
    except _FAILURES as failure:
        message = "The strategy file %(file)s cannot be run: %(reason)s"
        reason = f"{type(failure).__name__}: {failure}"
        raise BadInput(message, field="file", file=file, reason=reason) from failure
    classes = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Strategy) and one.__module__ == module.__name__
    ]
    if not classes:
        message = "The strategy file %(file)s defines no class of Strategy"
        raise BadInput(message, field="file", file=file)
    taken = set(STRATEGIES)
    for one in classes:
        _check(one, file, taken)
        taken.add(one.key)
    for number, one in enumerate(classes):  # what is sent to another process is its source
        one.__reduce__ = partial(_dump, (source, file, number))  # type: ignore[method-assign]
        one.decide = _tell_failures(one.decide, file)  # type: ignore[method-assign]
    return [one() for one in classes]


def _tell_failures(decide: Callable[..., Decision], file: str) -> Callable[..., Decision]:
    """The same, but what goes wrong in it is told with its line: trying again would not help."""

    @wraps(decide)
    def told(self: Strategy, history: History, values: Values) -> Decision:
        try:
            return decide(self, history, values)
        except _FAILURES as failure:
            lines = [
                line
                for frame, line in walk_tb(failure.__traceback__)
                if frame.f_code.co_filename == file
            ]
            message = "The strategy file %(file)s, line %(line)d: %(reason)s"
            reason = f"{type(failure).__name__}: {failure}"
            where = {"file": file, "line": lines[-1] if lines else 0, "reason": reason}
            raise BadInput(message, field="strategy", **where) from failure

    return told


def _dump(place: tuple[str, str, int]) -> tuple[Any, ...]:
    return _load_again, place


def _load_again(source: str, file: str, number: int) -> Strategy:
    return load_strategies(source, file)[number]


def _check(one: type[Strategy], file: str, taken: set[str]) -> None:
    for part in ("key", "name", "description"):
        if not isinstance(getattr(one, part, None), str) or not getattr(one, part):
            message = "%(strategy)s in %(file)s has no %(part)s"
            raise BadInput(message, field="file", strategy=one.__name__, file=file, part=part)
    missing = ", ".join(sorted(one.__abstractmethods__))
    if missing:
        message = "%(strategy)s in %(file)s has no %(part)s"
        raise BadInput(message, field="file", strategy=one.__name__, file=file, part=missing)
    if one.key in taken:
        message = "%(strategy)s in %(file)s has the key %(key)s, which another strategy has"
        raise BadInput(message, field="file", strategy=one.__name__, file=file, key=one.key)
