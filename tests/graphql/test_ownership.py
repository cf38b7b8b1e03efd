"""Who sees what by its id: every field with an id, for owner, another, a stranger, one signed out.

The fields are found in the schema: a new one without a case fails. A `Case` makes an object of alice
and asks for it; PUBLIC and OPERATOR fields take an id of something that belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type
from sqlalchemy import update

from app.adapters.outward import Outward
from app.db.models import Notification
from app.domain.access import Role
from app.domain.alerts.channels import ChannelKind
from app.domain.records.mapping import RECOGNISED
from app.domain.transactions import PortfolioKind
from app.env import Env
from app.graphql.schema import schema
from app.services.alerts.alert_channels import NewChannel, save_channel, try_channel
from app.services.alerts.alert_rules import save_rule
from app.services.alerts.alerts import list_alerts
from app.services.people.authentication import find_again
from app.services.people.external_sign_in import Vouched
from app.services.people.identity import Identity
from app.services.people.linked_providers import link, list_linked
from app.services.people.sessions import end_all, end_this
from app.services.portfolio.ledger import record_transaction
from app.services.portfolio.portfolios import NewPortfolio, create_portfolio
from app.services.records.record_presets import save_preset
from app.services.screening.hits import Screen
from app.services.screening.saved import save_screen
from app.services.screening.watchlists import save_watchlist
from app.services.trading.orders import place_order
from tests.alerting import read_rule, see_path
from tests.backtests import ask as run_one
from tests.backtests import make_market
from tests.factories import make_instrument, make_split
from tests.graphql.asking import make_context
from tests.ledgers import DAY, keep, read
from tests.ledgers import make_portfolio as keep_portfolio
from tests.paper import make_recorded, read_order
from tests.people import PASSWORD, by_access_token, by_api_token, by_session, make_user

MISSING = "987654321"


@dataclass(frozen=True)
class Case:
    """`make` gives an id of alice's, `missing` is one of its kind that there is not."""

    query: str
    make: Callable[[Env, Identity], Awaitable[str]]
    missing: str = MISSING
    other: Callable[[Env, Identity], Awaitable[str]] | None = None
    """Makes something else of alice's that the query names as OTHER."""

    async def complete(self, env: Env, alice: Identity) -> str:
        """The query with the id of the other thing."""
        if self.other is None:
            return self.query
        return self.query.replace("OTHER", await self.other(env, alice))


async def make_token(env: Env, alice: Identity) -> str:
    return str((await by_api_token(env, alice.user)).key)


async def make_sign_in(env: Env, alice: Identity) -> str:
    return f"browser-{(await by_session(env, alice.user)).key}"


async def make_portfolio(env: Env, alice: Identity) -> str:
    return str((await keep_portfolio(env, alice.user)).id)


async def make_practice(env: Env, alice: Identity) -> str:
    kind = PortfolioKind.PRACTICE
    return str((await keep_portfolio(env, alice.user, kind=kind)).id)


async def make_transaction(env: Env, alice: Identity) -> str:
    portfolio = await keep_portfolio(env, alice.user)
    return str((await keep(env, alice.user, portfolio, "DEPOSIT 500")).id)


async def make_practice_book(env: Env, alice: Identity) -> str:
    """A portfolio of practice where recorded prices are replayed, with money to order for."""
    await make_recorded(env)
    kind = PortfolioKind.PRACTICE
    return str((await keep_portfolio(env, alice.user, kind=kind, currency="USD")).id)


async def make_order(env: Env, alice: Identity) -> str:
    portfolio, wanted = await make_practice_book(env, alice), read_order("BUY 1 AAPL")
    return str((await place_order(env, alice.user.id, portfolio, wanted, "k")).id)


async def make_linked(env: Env, alice: Identity) -> str:
    await link(env, alice, Vouched("Home", "https://home.example", "17"))
    (row,) = await list_linked(env, alice.user.id)
    return str(row.id)


async def make_book(env: Env, alice: Identity) -> str:
    return str((await keep_portfolio(env, alice.user, 0, PortfolioKind.TRACKED)).id)


async def make_screen(env: Env, alice: Identity) -> str:
    return str((await save_screen(env, alice.user.id, "mine", Screen())).id)


async def make_preset(env: Env, alice: Identity) -> str:
    return str((await save_preset(env, alice.user.id, "mine", RECOGNISED)).id)


async def make_watchlist(env: Env, alice: Identity) -> str:
    await make_instrument(env, "AAPL")
    return str((await save_watchlist(env, alice.user.id, None, "mine", ["AAPL"])).id)


async def make_waiting(env: Env, alice: Identity) -> str:
    await make_market(env)
    return str((await run_one(env, alice.user.id)).id)


async def make_dollars(env: Env, alice: Identity) -> str:
    """A portfolio as old as the prices of the market."""
    capital, day = Decimal(10_000), date(2020, 1, 6)
    wanted = NewPortfolio("Old", PortfolioKind.SIMULATED, "USD", capital, opened_on=day)
    return str((await create_portfolio(env, alice.user.id, wanted)).id)


async def make_proposal(env: Env, alice: Identity) -> str:
    """A record that lacks the split of the next day."""
    await make_instrument(env, "AAPL")
    await make_split(env, "AAPL", DAY + timedelta(days=1), 4)
    number = await make_book(env, alice)
    bought = read("BUY 1 AAPL @ 100", currency="USD")
    await record_transaction(env, alice.user.id, number, bought, "bought")
    return number


async def make_rule(env: Env, alice: Identity) -> str:
    await make_instrument(env, "AAPL")
    return str((await save_rule(env, alice.user.id, read_rule("AAPL > 150"))).id)


async def make_channel(env: Env, alice: Identity) -> str:
    near = replace(env, outward=Outward(inside=True))
    address = "http://127.0.0.1:9/hook"
    made = await save_channel(
        near, alice.user, NewChannel(ChannelKind.WEBHOOK, "mine", address, "en")
    )
    return str(made.id)


async def make_dead(env: Env, alice: Identity) -> str:
    notice = await try_channel(env, alice.user.id, await make_channel(env, alice))
    async with env.db.write(uid=alice.user.id) as db:
        await db.execute(update(Notification).values(state="DEAD"))
    return str(notice.id)


async def make_alert(env: Env, alice: Identity) -> str:
    rule = await make_rule(env, alice)
    await see_path(env, "AAPL", 149, 151)
    (alert,) = (await list_alerts(env, alice.user.id)).rows
    assert str(alert.rule_id) == rule
    return str(alert.id)


PROPOSED = f'portfolio: $id, kind: SPLIT, symbol: "AAPL", day: "{DAY + timedelta(days=1)}"'
ORDER = 'input: {portfolio: $id, symbol: "AAPL", side: BUY, quantity: "1"}'
CASES = {
    "Query.backtest": Case("query ($id: ID!) { backtest(id: $id) { state } }", make_waiting),
    "Query.compareBacktests": Case(
        "query ($id: ID!) { compareBacktests(ids: [$id]) { state } }", make_waiting
    ),
    "Subscription.backtest": Case(
        "subscription ($id: ID!) { backtest(id: $id) { progress } }", make_waiting
    ),
    "Mutation.cancelBacktest": Case(
        "mutation ($id: ID!) { cancelBacktest(id: $id) { state } }", make_waiting
    ),
    "Mutation.repeatBacktest": Case(
        "mutation ($id: ID!) { repeatBacktest(id: $id) { repeats } }", make_waiting
    ),
    "Mutation.shadowPortfolio": Case(
        'mutation ($id: ID!) { shadowPortfolio(backtestId: $id, portfolioId: "OTHER") { id } }',
        make_waiting,
        other=make_dollars,
    ),
    "Mutation.deleteBacktest": Case(
        "mutation ($id: ID!) { deleteBacktest(id: $id) }", make_waiting
    ),
    "Mutation.saveAlertRule": Case(
        'mutation ($id: ID!) { saveAlertRule(input: {id: $id, kind: NEW_HIGH, symbol: "AAPL"}) {id} }',
        make_rule,
    ),
    "Mutation.pauseAlertRule": Case(
        "mutation ($id: ID!) { pauseAlertRule(id: $id) { kind } }", make_rule
    ),
    "Mutation.deleteAlertRule": Case("mutation ($id: ID!) { deleteAlertRule(id: $id) }", make_rule),
    "Mutation.deleteAlertChannel": Case(
        "mutation ($id: ID!) { deleteAlertChannel(id: $id) }", make_channel
    ),
    "Mutation.testAlertChannel": Case(
        "mutation ($id: ID!) { testAlertChannel(id: $id) { state } }", make_channel
    ),
    "Mutation.retryNotice": Case(
        "mutation ($id: ID!) { retryNotice(id: $id) { state } }", make_dead
    ),
    "Mutation.acknowledgeAlert": Case(
        "mutation ($id: ID!) { acknowledgeAlert(id: $id) { acknowledgedAt } }", make_alert
    ),
    "Query.watchlist": Case(
        "query ($id: ID!) { watchlist(id: $id) { name symbols } }", make_watchlist
    ),
    "Mutation.saveWatchlist": Case(
        'mutation ($id: ID!) { saveWatchlist(id: $id, name: "x", symbols: []) { name } }',
        make_watchlist,
    ),
    "Mutation.renameWatchlist": Case(
        'mutation ($id: ID!) { renameWatchlist(id: $id, name: "x") { name } }', make_watchlist
    ),
    "Mutation.deleteWatchlist": Case(
        "mutation ($id: ID!) { deleteWatchlist(id: $id) }", make_watchlist
    ),
    "Mutation.addToWatchlist": Case(
        'mutation ($id: ID!) { addToWatchlist(id: $id, symbols: ["AAPL"]) { words { text } } }',
        make_watchlist,
    ),
    "Mutation.takeFromWatchlist": Case(
        'mutation ($id: ID!) { takeFromWatchlist(id: $id, symbol: "AAPL") { name } }',
        make_watchlist,
    ),
    "Mutation.moveInWatchlist": Case(
        'mutation ($id: ID!) { moveInWatchlist(id: $id, symbol: "AAPL", position: 0) { name } }',
        make_watchlist,
    ),
    "Mutation.unlinkProvider": Case(
        f'mutation ($id: ID!) {{ unlinkProvider(id: $id, password: "{PASSWORD}") }}', make_linked
    ),
    "Mutation.previewOrder": Case(
        f"mutation ($id: ID!) {{ previewOrder({ORDER}) {{ price }} }}", make_practice_book
    ),
    "Mutation.placeOrder": Case(
        f'mutation ($id: ID!) {{ placeOrder({ORDER}, key: "k") {{ id }} }}', make_practice_book
    ),
    "Mutation.cancelOrder": Case("mutation ($id: ID!) { cancelOrder(id: $id) { id } }", make_order),
    "Query.portfolio": Case(
        "query ($id: ID!) { portfolio(id: $id) { name value { total } } }", make_portfolio
    ),
    "Subscription.portfolio": Case(
        "subscription ($id: ID!) { portfolio(id: $id) { total } }", make_portfolio
    ),
    "Mutation.renamePortfolio": Case(
        'mutation ($id: ID!) { renamePortfolio(id: $id, name: "x") { name } }', make_portfolio
    ),
    "Mutation.archivePortfolio": Case(
        "mutation ($id: ID!) { archivePortfolio(id: $id) { id } }", make_portfolio
    ),
    "Mutation.deletePortfolio": Case(
        "mutation ($id: ID!) { deletePortfolio(id: $id) }", make_practice
    ),
    "Mutation.acceptProposal": Case(
        f"mutation ($id: ID!) {{ acceptProposal({PROPOSED}) {{ id }} }}", make_proposal
    ),
    "Mutation.dismissProposal": Case(
        f"mutation ($id: ID!) {{ dismissProposal({PROPOSED}) }}", make_proposal
    ),
    "Mutation.recordTransaction": Case(
        """mutation ($id: ID!) { recordTransaction(key: "k", input: {portfolio: $id,
            kind: DEPOSIT, day: "2026-03-04", currency: "KRW", amount: "5"}) { id } }""",
        make_portfolio,
    ),
    "Mutation.reverseTransaction": Case(
        'mutation ($id: ID!) { reverseTransaction(id: $id, key: "k") { id } }', make_transaction
    ),
    "Mutation.importTransactions": Case(
        "mutation ($id: ID!) { importTransactions(portfolio: $id,"
        ' csv: "date,type,amount\\n2024-01-02,deposit,5") { understood } }',
        make_book,
    ),
    "Mutation.deleteScreen": Case("mutation ($id: ID!) { deleteScreen(id: $id) }", make_screen),
    "Mutation.deleteRecordPreset": Case(
        "mutation ($id: ID!) { deleteRecordPreset(id: $id) }", make_preset
    ),
    "Mutation.endSession": Case(
        "mutation ($id: ID!) { endSession(id: $id) }", make_sign_in, f"browser-{MISSING}"
    ),
    "Mutation.revokeApiToken": Case("mutation ($id: ID!) { revokeApiToken(id: $id) }", make_token),
}
OPERATOR = {
    "Mutation.releaseQuarantined": "mutation ($id: ID!) { releaseQuarantined(id: $id) { id } }",
    "Mutation.dropQuarantined": "mutation ($id: ID!) { dropQuarantined(id: $id) { id } }",
}
"""Shared by all and changed by administrators: nobody owns a held row."""
KEYS = {"Mutation.trackList": "mutation ($id: ID!) { trackList(key: $id) { added } }"}
"""Names of what comes with the product, used by administrators."""


def takes_id(kind: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an input type is an ID or holds one, at any depth."""
    named = get_named_type(kind)
    if named.name == "ID":
        return True
    if not isinstance(named, GraphQLInputObjectType) or named.name in seen:
        return False
    inner = seen | {named.name}
    return any(takes_id(field.type, inner) for field in named.fields.values())


def fields_with_ids() -> set[str]:
    """Every field of the schema, of whatever type, with an ID among its arguments."""
    return {
        f"{kind.name}.{name}"
        for kind in schema.graphql_schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if any(takes_id(argument.type) for argument in field.args.values())
    }


def test_every_field_with_an_id_has_a_case() -> None:
    assert fields_with_ids() == set(CASES) | set(OPERATOR) | set(KEYS)


async def ask(env: Env, query: str, id_: str, identity: Identity | None) -> bytes:
    """The whole answer, as the client gets its bytes."""
    context = make_context(env, operator=False).signed_in(identity)
    result = await (follow if query.startswith("subscription") else schema.execute)(
        query, variable_values={"id": id_}, context_value=context
    )
    errors = [error.formatted for error in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": errors})


async def follow(query: str, **given: Any) -> Any:
    """The first answer of a subscription."""
    async with aclosing(await schema.subscribe(query, **given)) as answers:
        return await anext(answers)


@pytest.mark.parametrize("field", CASES)
async def test_the_owner_gets_it_and_to_anybody_else_it_is_as_if_there_were_none(
    env: Env, field: str
):
    """Others, an administrator among them, a stranger and one signed out come first: it is there."""
    case, user = CASES[field], await make_user(env)
    alice, before = await by_session(env, user), await by_session(env, user)
    charlie = await by_session(env, await make_user(env, "charlie"))
    admin = await by_access_token(env, await make_user(env, "root", Role.ADMIN))
    id_, query = await case.make(env, alice), await case.complete(env, alice)
    missing = await ask(env, query, case.missing, alice)
    assert b"NOT_FOUND" in missing
    for other in (charlie, admin):
        assert await ask(env, query, id_, other) == missing
        assert await ask(env, query, case.missing, other) == missing
    for nonsense in ("", "x", "-1", "9" * 40, "\0", "' OR 1=1 --"):
        assert await ask(env, query, nonsense, charlie) == missing
    stranger = await ask(env, query, id_, None)
    assert b"UNAUTHENTICATED" in stranger
    assert await ask(env, query, case.missing, None) == stranger
    await end_this(env, before)
    assert await ask_again(env, query, id_, before) == stranger
    answer = orjson.loads(await ask(env, query, id_, alice))
    assert answer["errors"] == []
    assert all(value is not None for value in answer["data"].values())


@pytest.mark.parametrize("field", [*OPERATOR, *KEYS])
async def test_what_nobody_owns_is_decided_by_administrators(env: Env, field: str):
    query = (OPERATOR | KEYS)[field]
    user = await by_session(env, await make_user(env))
    admin = await by_session(env, await make_user(env, "root", Role.ADMIN))
    assert b"UNAUTHENTICATED" in await ask(env, query, MISSING, None)
    assert b"FORBIDDEN" in await ask(env, query, MISSING, user)
    assert b"NOT_FOUND" in await ask(env, query, MISSING, admin)
    await end_all(env, admin.user.id)
    assert b"UNAUTHENTICATED" in await ask_again(env, query, MISSING, admin)


async def ask_again(env: Env, query: str, id_: str, identity: Identity) -> bytes:
    """As the middleware does it: who it is is looked up anew."""
    return await ask(env, query, id_, await find_again(env, identity))
