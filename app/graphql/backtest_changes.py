"""What somebody may ask to have tested, and the form that it takes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

import strawberry

from app.domain.backtest.grid import Plan
from app.domain.backtest.parameters import StrategyInfo
from app.domain.backtest.request import read_choice
from app.domain.backtest.setup import Exits, Fill, Setup, Size, Sizing, usual_cash
from app.domain.trading.costs import find_profile
from app.errors import BadInput
from app.graphql.backtests import Backtest
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.permissions import require_trader
from app.services.backtest import backtest_repeats, backtests
from app.services.backtest.backtest_input import Wanted
from app.services.backtest.strategies import get_strategy

MOST_VALUES: Final = 1_000
"""Values of one axis."""


@strawberry.input(description="A parameter of a strategy and its value, as a form has it.")
class ParameterInput:
    """A value of a parameter."""

    name: str
    value: str


@strawberry.input(
    description="A parameter that is varied, or `stop`, `target`, `trailing`: by its values, or "
    "from one number to another (included) by steps."
)
class SweepAxisInput:
    """An axis of a sweep."""

    name: str
    values: list[str] | None = None
    from_: float | None = strawberry.field(name="from", default=None)
    to: float | None = None
    step: float | None = None

    def list_values(self) -> list[str]:
        """The values of the axis.

        Raises:
            BadInput: neither values nor a range, or too many.
        """
        step = 1.0 if self.step is None else self.step
        if self.values is not None:
            count = len(self.values)
        elif self.from_ is None or self.to is None or not step > 0:
            message = "The axis %(name)s needs values, or from, to and a step above 0"
            raise BadInput(message, field=self.name, name=self.name)
        else:
            count = int(min(max((self.to - self.from_) / step + 1e-9, -1), 1e9)) + 1
        if not 1 <= count <= MOST_VALUES:
            message = "The axis %(name)s has %(value)d values; it must be from 1 to %(bound)d"
            raise BadInput(message, field=self.name, name=self.name, value=count, bound=MOST_VALUES)
        if self.values is not None:
            return self.values
        return [repr(round((self.from_ or 0.0) + i * step, 10)) for i in range(count)]


@strawberry.input(description="Sessions of training and testing, and between them.")
class WalkForwardInput:
    """The plan of a walk-forward."""

    train: int = 504
    test: int = 126
    embargo: int = 5
    anchored: bool = False


@strawberry.input(
    description="A backtest to run. With `sweep` a run of each cell, with `walkForward` values "
    "chosen on the past and traded on what follows. `stop`, `target`, `trailing` are parts of a "
    "price, `interest` and `borrowing` rates a year, `volumeCap` the part of a session's volume "
    "(null: any quantity), `fraction` a position's part of the equity or, sized by volatility, the "
    "yearly volatility aimed at. `cash` is 10,000,000 won or 10,000 dollars where it is not given. "
    "`taxed`: taxes and fees of states and exchanges are taken; `ticks`, `limits`: prices keep to "
    "the exchange's; `whole`: whole shares only."
)
class BacktestInput:
    """A backtest to run."""

    strategy: str
    symbols: list[str]
    parameters: list[ParameterInput] = strawberry.field(default_factory=list)
    name: str | None = None
    from_: date | None = strawberry.field(name="from", default=None)
    to: date | None = None
    cash: Decimal | None = None
    costs: str = "online"
    fill: Fill = Fill.NEXT_OPEN
    slippage: float = 0.0
    sizing: Size = Size.EQUAL
    fraction: float = 1.0
    slots: int | None = None
    stop: float | None = None
    target: float | None = None
    trailing: float | None = None
    interest: float = 0.0
    borrowing: float = 0.0
    volume_cap: float | None = 0.1
    shorts: bool = False
    taxed: bool = True
    ticks: bool = True
    limits: bool = True
    whole: bool = True
    benchmark: str | None = None
    sweep: list[SweepAxisInput] = strawberry.field(default_factory=list)
    walk_forward: WalkForwardInput | None = None

    def to_wanted(self, info: StrategyInfo) -> Wanted:
        """What it asks for.

        Raises:
            BadInput: a value that cannot be, with its field.
        """
        plan = self.walk_forward
        for names in ([one.name for one in self.parameters], [axis.name for axis in self.sweep]):
            for name in names:
                if names.count(name) > 1:
                    raise BadInput("%(name)s is given twice", field=name, name=name)
        return Wanted(
            strategy=self.strategy,
            symbols=tuple(self.symbols),
            values={one.name: read_choice(info, one.name, one.value) for one in self.parameters},
            first_day=self.from_,
            last_day=self.to,
            setup=self._setup(),
            axes={
                axis.name: tuple(
                    dict.fromkeys(read_choice(info, axis.name, text) for text in axis.list_values())
                )
                for axis in self.sweep
            },
            plan=None if plan is None else Plan(**vars(plan)),
            benchmark=self.benchmark,
            name=self.name,
        )

    def _setup(self) -> Setup:
        return Setup(
            cash=usual_cash(self.symbols) if self.cash is None else self.cash,
            fill=self.fill,
            costs=find_profile(self.costs),
            slippage=self.slippage,
            sizing=Sizing(self.sizing, self.fraction, slots=self.slots),
            exits=Exits(self.stop, self.target, self.trailing),
            interest=self.interest,
            borrowing=self.borrowing,
            volume_cap=self.volume_cap,
            shorts=self.shorts,
            taxed=self.taxed,
            ticks=self.ticks,
            limits=self.limits,
            whole=self.whole,
        )


@described
@strawberry.type
class BacktestMutation:
    """Having something tested, ending it, and taking it out of sight."""

    @strawberry.mutation
    async def run_backtest(self, info: Info, input: BacktestInput) -> Backtest:  # noqa: A002
        """Checks it and hands it to the workers; follow it by the subscription `backtest`."""
        env, user_id = info.context.env, require_trader(info).user.id
        strategy = await get_strategy(env, input.strategy)
        row = await backtests.start_backtest(env, user_id, input.to_wanted(strategy))
        return Backtest.of(row, env.clock.now())

    @strawberry.mutation
    async def cancel_backtest(self, info: Info, id: strawberry.ID) -> Backtest:  # noqa: A002
        """Ends one that waits or runs."""
        env, user_id = info.context.env, require_trader(info).user.id
        return Backtest.of(await backtests.cancel_backtest(env, user_id, id), env.clock.now())

    @strawberry.mutation
    async def repeat_backtest(self, info: Info, id: strawberry.ID, on: bool = True) -> Backtest:  # noqa: A002, FBT001, FBT002
        """Has one run again after each collection of its instruments, or no more."""
        env, user_id = info.context.env, require_trader(info).user.id
        row = await backtest_repeats.repeat_backtest(env, user_id, id, on=on)
        return Backtest.of(row, env.clock.now())

    @strawberry.mutation
    async def shadow_portfolio(
        self, info: Info, backtest_id: strawberry.ID, portfolio_id: strawberry.ID
    ) -> Backtest:
        """Makes the shadow twin of a portfolio: run now and after each collection.

        It trades by the rules of the backtest from the day on which the portfolio was opened, with
        the same capital and costs, and tells trade by trade what differs.
        """
        env, user_id = info.context.env, require_trader(info).user.id
        row = await backtest_repeats.shadow_portfolio(env, user_id, backtest_id, portfolio_id)
        return Backtest.of(row, env.clock.now())

    @strawberry.mutation
    async def delete_backtest(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002
        """Takes one out of sight with its results. What it tried goes on to count."""
        await backtests.delete_backtest(info.context.env, require_trader(info).user.id, id)
        return True
