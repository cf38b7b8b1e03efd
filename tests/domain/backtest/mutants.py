"""The bar loop as plain Python, with one rule of it changed: each change has to be noticed."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any, NamedTuple

from app.domain.kernels import account, trading


class Mutant(NamedTuple):
    """A rule broken: this text of the compiled loop becomes that one."""

    name: str
    old: str
    new: str


MUTANTS = (
    Mutant("sale taxed by no date", "rates = world.dated[world.period[t], world.group[k]]", "rates = world.dated[0, world.group[k]]"),
    Mutant("tax on purchases too", "    if quantity > 0.0:\n        return fee, 0.0\n", ""),
    Mutant("taxes cut together", "    tax = _cut(value * rates[TAX], terms.tax_unit, 0.0)\n    return fee, tax + _cut(value * rates[RURAL], terms.tax_unit, 0.0)",
           "    return fee, _cut(value * (rates[TAX] + rates[RURAL]), terms.tax_unit, 0.0)"),
    Mutant("commission without its least", "max(value * terms.commission, terms.least)", "value * terms.commission"),
    Mutant("slippage in favour", "1.0 + d * terms.slippage", "1.0 - d * terms.slippage"),
    Mutant("tick rounded in favour", "np.ceil(exact) if d > 0.0", "np.ceil(exact) if d < 0.0"),
    Mutant("tick of another price", "while world.bounds[table, i] <= price", "while world.bounds[table, i] < price * 0.5"),
    Mutant("price beyond the limit", "        if price > world.upper[t, k]:", "        if False:"),
    Mutant("fill on a locked day", "if d > 0.0 and world.low[t, k] >= world.upper[t, k]", "if False"),
    Mutant("fill on a halted day", "if not at > 0.0 or volume == 0.0", "if not at > 0.0"),
    Mutant("cap of each fill alone", "left = terms.cap * volume - used", "left = terms.cap * volume"),
    Mutant("no cap", "if np.isinf(terms.cap):", "if True:"),
    Mutant("parts of shares", "quantity = np.floor(quantity / terms.step) * terms.step", "pass"),
    Mutant("cash spent twice", "money = min(book[BUDGET, k], account[CASH] - 2.0 * account[BLOCKED])", "money = book[BUDGET, k]"),
    Mutant("proceeds of shorts are free", "account[CASH] - 2.0 * account[BLOCKED]", "account[CASH]"),
    Mutant("shorts everywhere", "0.0 if now < 0 and world.shortable[k] == 0 else float(now)", "float(now)"),
    Mutant("free loan of shares", "        account[CASH] -= due\n", "        pass\n"),
    Mutant("interest on borrowed cash", "max(0.0, account[CASH] - account[BLOCKED])", "max(0.0, account[CASH])"),
    Mutant("no interest", "account[CASH] += world.interest[t]", "account[CASH] += 0.0 * world.interest[t]"),
    Mutant("split forgets the stop", "for row in (LAST, LOSS, GAIN, PEAK):", "for row in (LAST, GAIN, PEAK):"),
    Mutant("parts of shares are lost in a split", "account[CASH] += rest * book[LAST, k]", "pass"),
    Mutant("dividend known at its ex-date", "        elif kind == DECLARED:\n            account[RECEIVABLE] += room.claims[claim]\n", "        elif kind == DECLARED:\n            pass\n"),
    Mutant("dividend untaxed", "due *= 1.0 - terms.withheld", "pass"),
    Mutant("target first", "    elif (worst - loss) * d <= 0.0:\n        price = loss\n    elif (best - gain) * d > 0.0:\n        price, why = gain, TARGET\n",
           "    elif (best - gain) * d > 0.0:\n        price, why = gain, TARGET\n    elif (worst - loss) * d <= 0.0:\n        price = loss\n"),
    Mutant("gap filled at the stop", "    if (at - loss) * d <= 0.0:\n        price = at\n", "    if (at - loss) * d <= 0.0:\n        price = loss\n"),
    Mutant("a touch fills the target", "elif (best - gain) * d > 0.0", "elif (best - gain) * d >= 0.0"),
    Mutant("trailing stop knows the day's high", "    d = np.sign(book[SHARES, k])\n    worst, best", "    d = np.sign(book[SHARES, k])\n    book[PEAK, k] = max(book[PEAK, k], high) if d > 0.0 else min(book[PEAK, k], low)\n    worst, best"),
    Mutant("stopped, but not out", "        book[AIM, k] = 0.0\n        set_working", "        set_working"),
    Mutant("budget of a later day", "plan.fraction[t, k] * room.equity[t]", "plan.fraction[t, k] * room.account[CASH]"),
    Mutant("same close at the open", "fill_all(world, terms, room, t, world.close)", "fill_all(world, terms, room, t, world.open)"),
    Mutant("a quiet day that was not", "or low[t] <= peak * keep ", ""),
)  # fmt: skip


def plain(mutant: Mutant | None = None) -> ModuleType:
    """`kernels.trading` over `kernels.account`, not compiled, with a rule changed.

    Raises:
        LookupError: the text to change is not there (any more).
    """
    made: dict[str, Any] = {}
    found = mutant is None
    for module in (account, trading):
        source = inspect.getsource(module)
        if mutant is not None and mutant.old in source:
            source, found = source.replace(mutant.old, mutant.new), True
        source = source.replace("compiled = compiled_bare", "compiled = lambda f: f  # ")
        name = f"plain_{module.__name__.rpartition('.')[2]}"
        source = source.replace("app.domain.kernels.account", "plain_account")
        source = source.replace("from app.domain.kernels import account as ledger\n", "")
        made[name] = sys.modules[name] = ModuleType(name)
        exec(compile(source, name, "exec"), made[name].__dict__)  # noqa: S102 - our own source
    del sys.modules["plain_account"], sys.modules["plain_trading"]
    if not found:
        raise LookupError(f"nothing to change for {mutant}")
    return made["plain_trading"]
