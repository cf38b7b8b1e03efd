"""Proposals in the schema: asked for, accepted and dismissed by the owner."""

from __future__ import annotations

from datetime import timedelta

from app.domain.transactions import PortfolioKind
from app.env import Env
from tests.factories import make_dividend, make_instrument, make_split
from tests.graphql.asking import ask, fail
from tests.ledgers import DAY, keep, make_portfolio, read
from tests.people import by_session, make_user

LATER = DAY + timedelta(days=1)
LISTED = """query ($id: ID!, $first: Int) { portfolio(id: $id) { proposals(first: $first) {
    kind symbol day quantity numerator denominator currency amount tax instrument { currency } } } }"""
DECIDE = """mutation ($id: ID!, $kind: TransactionKind!, $symbol: String!, $day: Date!) {
    %s(portfolio: $id, kind: $kind, symbol: $symbol, day: $day)%s }"""


async def test_what_is_proposed_is_decided_once(env: Env):
    await make_instrument(env, "AAPL")
    await make_split(env, "AAPL", LATER, 4)
    await make_dividend(env, "AAPL", LATER, 0.25)
    alice = await by_session(env, await make_user(env))
    book = await make_portfolio(env, alice.user, 0, PortfolioKind.TRACKED, "USD")
    await keep(env, alice.user, book, read("OPENING 10 AAPL @ 50", currency="USD"))
    own = {"id": str(book.id)}
    split, paid = (await ask(env, LISTED, own, identity=alice))["portfolio"]["proposals"]
    ratio = {"quantity": "30", "numerator": "4", "denominator": "1", "amount": "0", "tax": "0"}
    first = {"symbol": "AAPL", "day": str(LATER), "instrument": {"currency": "USD"}}
    assert split == first | ratio | {"kind": "SPLIT", "currency": None}
    assert (paid["kind"], paid["amount"], paid["tax"]) == ("DIVIDEND", "10", "1.5")
    only = (await ask(env, LISTED, own | {"first": 1}, identity=alice))["portfolio"]["proposals"]
    assert only == [split]

    chosen = own | {"symbol": "AAPL", "day": str(LATER)}
    accept, dismiss = (
        DECIDE % ("acceptProposal", " { kind quantity }"),
        DECIDE % ("dismissProposal", ""),
    )
    taken = await ask(env, accept, chosen | {"kind": "SPLIT"}, identity=alice)
    assert taken["acceptProposal"] == {"kind": "SPLIT", "quantity": "30"}
    assert await ask(env, dismiss, chosen | {"kind": "DIVIDEND"}, identity=alice)
    assert (await ask(env, LISTED, own, identity=alice))["portfolio"]["proposals"] == []
    error = await fail(env, accept, chosen | {"kind": "DIVIDEND"}, identity=alice)
    assert error["extensions"]["code"] == "CONFLICT"
