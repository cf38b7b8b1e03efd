"""One of everything that somebody can own, each with a word that names its owner."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, time, timedelta

from app.adapters.outward import Outward
from app.db.models import Backtest, BacktestData, Base, EmailConfirmation
from app.domain.alerts.channels import ChannelKind
from app.domain.records.mapping import RECOGNISED
from app.domain.totp import compute_code
from app.domain.transactions import PortfolioKind, TransactionKind
from app.env import Env
from app.services.alerts.alert_channels import NewChannel, save_channel, try_channel
from app.services.alerts.alert_hours import save_hours
from app.services.alerts.alert_rules import save_rule
from app.services.people.external_sign_in import Vouched
from app.services.people.linked_providers import link
from app.services.people.password_reset import make_link
from app.services.people.second_factor import begin_second_factor, confirm_second_factor
from app.services.people.users import UserRow
from app.services.portfolio.equity import refresh_equity
from app.services.records.proposals import dismiss_proposal
from app.services.records.record_presets import save_preset
from app.services.screening.hits import Screen
from app.services.screening.saved import save_screen
from app.services.screening.watchlists import save_watchlist
from app.services.trading.matching import fill_orders
from tests.alerting import read_rule, see_path
from tests.factories import make_bars, make_split
from tests.ledgers import DAY, keep, make_portfolio, read
from tests.paper import OPEN_US, open_markets, place, tell
from tests.people import by_access_token, by_api_token, by_session

SPLIT = (TransactionKind.SPLIT, "AAPL", DAY + timedelta(days=1))


def belongings() -> set[str]:
    """Every table whose rows a foreign key leads from to a person, at once or over others.

    But for invitations, which are the installation's.
    """
    found: set[str] = set()
    while True:
        more = {
            table.name
            for table in Base.metadata.sorted_tables
            if {key.column.table.name for key in table.foreign_keys} & (found | {"user"})
            and table.name != "invitation"
        }
        if more == found:
            return found
        found = more


async def give_everything(env: Env, user: UserRow) -> None:
    """A row or more in each table of `belongings`; the market is made for it."""
    market, name = await open_markets(env), user.username
    await _let_in(env, user)
    await save_watchlist(env, user.id, None, name, ["AAPL"])
    await save_preset(env, user.id, name, RECOGNISED)
    await save_screen(env, user.id, name, Screen())
    await _trade(market, user)
    await _test_back(env, user)
    await _watch(env, user)


async def _let_in(env: Env, user: UserRow) -> None:
    """Every way to come in, and the links of letters."""
    identity = await by_session(env, user)
    await by_access_token(env, user)
    await by_api_token(env, user)
    secret = base64.b32decode((await begin_second_factor(env, user.id)).secret)
    code = compute_code(secret, int(env.clock.now().timestamp()) // 30)
    await confirm_second_factor(env, user.id, code)
    await link(env, identity, Vouched("Home", "https://home.example", user.username))
    await make_link(env, user)
    now = env.clock.now()
    row = {"user_id": user.id, "email": f"new-{user.email}", "sha256": b"x" * 32}
    async with env.db.write(uid=user.id) as db:
        db.add(EmailConfirmation(**row, created_at=now, expires_at=now + timedelta(days=1)))


async def _trade(market: Env, user: UserRow) -> None:
    """A filled order, and a record with a note, a day's worth and a proposal put away."""
    book = await make_portfolio(market, user, 10_000, currency="USD")
    await place(market, user, book, "BUY 10 AAPL")
    quote = await tell(market, "AAPL", "100", market.clock.now().replace(minute=1))
    assert await fill_orders(market, [quote]) == 1
    record = await make_portfolio(market, user, 0, PortfolioKind.TRACKED, "USD")
    bought = read("OPENING 10 AAPL @ 50", currency="USD")
    await keep(market, user, record, replace(bought, note=f"for {user.username}"))
    await make_split(market, "AAPL", SPLIT[2], 4)
    await dismiss_proposal(market, user.id, str(record.id), SPLIT)
    await make_bars(market, "AAPL", [100, 101], start=date(2026, 3, 2))
    await refresh_equity(market)


async def _test_back(env: Env, user: UserRow) -> None:
    """A backtest with a result: rows alone, as the libraries that make one are big."""
    about = {"name": user.username, "strategy": "hold", "mode": "ONE", "symbols": ["AAPL"]}
    days = {"first_day": DAY, "last_day": DAY, "created_at": env.clock.now()}
    facts = {"input": {}, "data_version": 1, "source": "yahoo", "parts": 1, "trials": 1}
    done = Backtest(user_id=user.id, **about, **days, **facts)
    async with env.db.write(uid=user.id) as db:
        db.add(done)
        await db.flush()
        db.add(BacktestData(backtest_id=done.id, name="report", part=0, data=b"x"))


async def _watch(env: Env, user: UserRow) -> None:
    """A rule that has been met, the hours, and a channel with a message on its way."""
    await save_hours(env, user.id, time(22), time(7), time(9))
    near = replace(env, outward=Outward(inside=True))
    hook = NewChannel(ChannelKind.WEBHOOK, user.username, "http://127.0.0.1:9/hook", "en")
    channel = await save_channel(near, user, hook)
    await try_channel(env, user.id, str(channel.id))
    rule = replace(read_rule("AAPL > 150"), note=f"for {user.username}")
    await save_rule(env, user.id, rule)
    later = OPEN_US + timedelta(hours=1)
    assert await see_path(env, "AAPL", 149, 151, start=later) == 1
