"""`sise backtest`: runs a strategy over stored prices here, and prints the figures of the pages."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from app.commands.reach import reached
from app.config import Settings
from app.domain.backtest.grid import EXITS
from app.domain.backtest.parameters import StrategyInfo, Value, choose_strategy
from app.domain.backtest.report import dump_certificate
from app.domain.backtest.request import Mode, Request, read_choice
from app.domain.backtest.setup import Exits, Fill, Setup, usual_cash
from app.domain.backtest.study import certify_study, conclude, run_cells
from app.domain.trading.costs import PROFILES, find_profile
from app.env import Env, open_env
from app.services.backtest.backtest_input import Wanted, check_wanted
from app.services.backtest.backtest_tape import load_reference, load_tape
from app.services.backtest.strategy_shelf import Shelf, load_shelf
from app.services.collect.revisions import data_version

FIGURES: Final = (
    ("final_equity", "Final equity", ",.2f"),
    ("roi", "Return", "+.2%"),
    ("cagr", "CAGR (252 sessions)", "+.2%"),
    ("cagr_calendar", "CAGR (calendar days)", "+.2%"),
    ("sharpe_ratio", "Sharpe (√252, rf 0)", ".4f"),
    ("sortino_ratio", "Sortino (all sessions)", ".4f"),
    ("calmar_ratio", "Calmar", ".4f"),
    ("max_drawdown", "Maximum drawdown", ".2%"),
    ("volatility", "Volatility a year", ".2%"),
    ("trades", "Round trips", "d"),
    ("win_rate", "Win rate", ".1%"),
    ("profit_factor", "Profit factor", ".3f"),
    ("exposure", "Exposure", ".1%"),
    ("turnover", "Turnover a year", ".3f"),
    ("fees", "Fees", ",.2f"),
    ("taxes", "Taxes", ",.2f"),
)
EACH: Final = (
    ("sessions", "Sessions", "d"),
    ("final_equity", "Final equity", ",.2f"),
    ("roi", "Return", "+.2%"),
    ("sharpe_ratio", "Sharpe", ".4f"),
    ("max_drawdown", "Drawdown", ".2%"),
    ("round_trips", "Round trips", "d"),
)
_BENCHMARKS: Final = {"buy_and_hold": "Buy and hold", "equal_weight": "Equal weights"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Strategy, instruments, and what a form asks for besides."""
    parser.add_argument("strategy", nargs="?", help="its key; without one all are listed")
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter; several values with commas between them make a sweep",
    )  # fmt: skip
    parser.add_argument("--from", dest="first_day", type=_day, metavar="DAY")
    parser.add_argument("--to", dest="last_day", type=_day, metavar="DAY")
    parser.add_argument("--cash", type=_amount, help="10,000,000 won or 10,000 dollars by default")
    parser.add_argument("--costs", choices=sorted(PROFILES), default="online")
    parser.add_argument("--fill", choices=[one.value for one in Fill], default="NEXT_OPEN")
    parser.add_argument("--benchmark", metavar="SYMBOL")
    for name in EXITS:
        parser.add_argument(f"--{name}", type=float, help="as a part: 0.1 is a tenth")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Reads prices from the database of the installation; nothing is stored."""
    shelf = load_shelf(settings)
    if options.strategy is None:
        for one in shelf.values():
            sys.stdout.write(f"{one.key:<20} {one.description}\n")
        return 0
    with reached(settings) as ready:
        report = asyncio.run(_run(ready, shelf, options))
    if options.json:
        sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        sys.stdout.write("\n".join(list_lines(report)) + "\n")
    return 0


async def _run(settings: Settings, shelf: Shelf, options: argparse.Namespace) -> dict[str, Any]:
    async with open_env(settings, application="sise-backtest", pool_size=1) as env:
        return await compute(env, shelf, options)


async def compute(env: Env, shelf: Shelf, options: argparse.Namespace) -> dict[str, Any]:
    """The report of what was asked for, as the long worker makes it.

    Raises:
        BadInput: something that cannot be run.
    """
    strategy = choose_strategy(shelf, options.strategy)
    wanted = read_wanted(strategy.info, options)
    request = (await check_wanted(env, strategy.info, wanted)).request
    version = await data_version(env)
    tape = await load_tape(env, request, version)
    cells = None
    if request.mode is Mode.SWEEP:
        cells = run_cells(tape, strategy, request, (0, request.cells), _go_on)
    reference = await load_reference(env, request, version)
    study = conclude(tape, strategy, request, cells=cells, reference=reference, watch=_go_on)
    found = certify_study(tape, strategy, request, study, _go_on)
    facts = {
        "data_version": version,
        "request": request.dump(),
        "fill_rule": study.result.fill_rule,
    }
    return study.report | {"certificate": dump_certificate(found)} | facts


def read_wanted(info: StrategyInfo, options: argparse.Namespace) -> Wanted:
    """What the arguments ask for.

    Raises:
        BadInput: a parameter that there is not, or a value that it cannot take.
    """
    values: dict[str, Value] = {}
    axes: dict[str, tuple[Value, ...]] = {}
    for text in options.parameter:
        name, _, given = text.partition("=")
        found = tuple(read_choice(info, name, part) for part in given.split(","))
        if len(found) > 1 or name in EXITS:
            axes[name] = found
        else:
            values[name] = found[0]
    setup = Setup(
        cash=usual_cash(options.symbols) if options.cash is None else options.cash,
        costs=find_profile(options.costs),
        fill=Fill(options.fill),
        exits=Exits(options.stop, options.target, options.trailing),
    )
    days = {"first_day": options.first_day, "last_day": options.last_day}
    symbols = tuple(options.symbols)
    more = {"setup": setup, "axes": axes, "benchmark": options.benchmark}
    return Wanted(options.strategy, symbols, values, **days, **more)


def list_lines(report: dict[str, Any]) -> list[str]:
    """The report for a terminal."""
    request = Request.load(report["request"])
    figures = report["figures"]
    values = ", ".join(f"{name}={value}" for name, value in report["values"].items())
    days = f"{figures['first_day']} to {figures['last_day']}, {figures['sessions']} sessions"
    lines = [
        f"{request.strategy} ({values})",
        f"{' '.join(request.symbols)}, {days}, {figures['currency']}",
        report["fill_rule"],
        "",
    ]
    lines += [f"{label:<24} {_show(figures[name], form):>18}" for name, label, form in FIGURES]
    lines.append("")
    for name, row in report["benchmarks"].items():
        label = _BENCHMARKS.get(name, request.benchmark or name)
        sharpe = _show(row["sharpe_ratio"], ".4f")
        lines.append(f"{label:<24} {_show(row['roi'], '+.2%'):>18}   Sharpe {sharpe}")
    if each := report.get("each"):
        lines += ["", f"{'Each by itself':<18}{''.join(f'{label:>15}' for _, label, _ in EACH)}"]
        for number, symbol in enumerate(each["symbol"]):
            cells = (f"{_show(each[name][number], form):>15}" for name, _, form in EACH)
            lines.append(f"{symbol:<18}{''.join(cells)}")
    return [*lines, "", *_list_doubts(report)]


def _list_doubts(report: dict[str, Any]) -> list[str]:
    mark, judged = report["certificate"], report["overfitting"]
    lines = [f"Look-ahead: {mark['changed']} of {mark['cuts']} cut points changed"]
    lines += [f"  leak: {leak['name']} on {leak['day']}" for leak in mark["leaks"]]
    lines.append(
        f"Trials {judged['trials']}, Sharpe above 0: {_show(judged['psr'], '.1%')}, "
        f"above chance: {_show(judged['dsr'], '.1%')}, "
        f"over-fitting: {_show(judged['pbo'], '.1%')}"
    )
    lines.append("Instruments were chosen with hindsight: delisted ones are missing.")
    return lines


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, as 2024-01-31") from None


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount, as 10000.50") from None


def _show(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _go_on(_share: float) -> None:
    """Nobody watches."""
