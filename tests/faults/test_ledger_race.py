"""Two processes at one portfolio: exactly what is covered is accepted, in whatever order."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.env import open_env
from tests.faults.arena import durable_servers, run_race, two_racers
from tests.ledgers import LATER, balances, drift, keep, make_portfolio
from tests.paper import OPEN_US, make_quote, open_markets, place
from tests.people import make_user

pytestmark = pytest.mark.faults

ROUNDS = 20  # of the promised figure
MIX = (
    {"do": "record", "words": "DEPOSIT 3"},
    {"do": "record", "words": "WITHDRAWAL 5"},
    {"do": "record", "words": "BUY 3 A @ 1 fee 1", "settles": str(LATER)},
    {"do": "record", "words": "SELL 2 A @ 1", "settles": str(LATER)},
    {"do": "record", "words": "EXCHANGE 2 USD 0.01"},
    {"do": "record", "words": "DIVIDEND 7 A tax 1", "settles": str(LATER)},
    {"do": "reverse", "words": "BUY 1 A @ 1"},
    {"do": "reverse", "words": "SELL 1 A @ 1"},
    {"do": "fill"},
    {"do": "settle"},
)


@pytest.fixture
async def field(full, request):
    """The open environment and two racers; in full on a disk that is written through."""
    async with AsyncExitStack() as stack:
        if full:
            settings = (await stack.enter_async_context(durable_servers()))[1]
        else:
            settings = request.getfixturevalue("settings")
        async with open_env(settings, application="race") as env, two_racers(settings) as racers:
            yield env, racers


@pytest.fixture(autouse=True)
def cleaned(full, request):
    if not full:
        request.getfixturevalue("env")  # empties the shared tables at the end


async def test_of_200_purchases_those_that_the_cash_covers_are_accepted(field, full):
    env, racers = field
    alice = await make_user(env, "racer")
    for number in range(ROUNDS if full else 1):
        book = await make_portfolio(env, alice, 100 * 11)
        order = {
            "do": "record",
            "user": alice.id,
            "portfolio": book.id,
            "words": "BUY 1 A @ 10 fee 1",
        }
        orders = [[order | {"key": f"{racer}-{n}"} for n in range(100)] for racer in range(2)]
        assert await run_race(racers, orders) == {"accepted": 100, "refused": 100}, number
        found = await balances(env, book)
        assert (found.get("CASH KRW"), found["POSITION share:A"]) == (None, 100)
    assert await drift(env) == []


async def test_of_200_sales_those_that_the_position_covers_are_accepted(field, full):
    env, racers = field
    alice = await make_user(env, "racer")
    for number in range(ROUNDS if full else 1):
        book = await make_portfolio(env, alice, 1000)
        await keep(env, alice, book, "BUY 100 A @ 10")
        order = {"do": "record", "user": alice.id, "portfolio": book.id, "words": "SELL 1 A @ 10"}
        orders = [[order | {"key": f"{racer}-{n}"} for n in range(100)] for racer in range(2)]
        assert await run_race(racers, orders) == {"accepted": 100, "refused": 100}, number
        found = await balances(env, book)
        assert (found["CASH KRW"], found.get("POSITION share:A")) == (1000, None)
    assert await drift(env) == []


async def test_the_same_key_from_both_sides_is_stored_once(field):
    env, racers = field
    alice = await make_user(env, "racer")
    book = await make_portfolio(env, alice, 1000)
    order = {"do": "record", "user": alice.id, "portfolio": book.id}
    orders = [
        [order | {"words": f"BUY {1 + racer} A @ 10", "key": f"k{n}"} for n in range(30)]
        for racer in range(2)
    ]
    assert await run_race(racers, orders) == {"accepted": 30, "conflict": 30}
    again = [[order | {"words": "DEPOSIT 1", "key": "same"}] * 20] * 2
    assert await run_race(racers, again) == {"accepted": 40}
    async with env.db.read(uid=alice.id) as db:
        stored = await db.scalar(text("SELECT count(*) FROM txn WHERE idem_key = 'same'"))
    assert stored == 1


async def test_two_workers_at_the_same_orders_fill_each_once(field, full):
    env, racers = field
    market = await open_markets(env)
    alice = await make_user(env, "racer")
    for number in range(ROUNDS if full else 1):
        book = await make_portfolio(env, alice, 20_000, currency="USD")
        for n in range(30):
            await place(market, alice, book, f"BUY 1 AAPL{' LIMIT 101' if n % 2 else ''}")
        quotes = [make_quote("AAPL", str(100 - n), OPEN_US + timedelta(minutes=n)) for n in (1, 2)]
        told = [{"do": "match", "quote": quote.to_json().decode()} for quote in quotes * 3]
        assert await run_race(racers, [told, told]) == {"accepted": 12}, number
        async with env.db.read(uid=alice.id) as db:
            fills = await db.execute(text(FILLS), {"book": book.id})
            assert [tuple(row) for row in fills] == [("FILLED", 1, 1)] * 30
        found = await balances(env, book)
        assert (found["POSITION share:AAPL"], "RESERVED USD" in found) == (30, False)
    assert await drift(env) == []


FILLS = """SELECT o.state, o.filled, count(f.id) FROM "order" AS o
    LEFT JOIN fill AS f ON f.order_id = o.id WHERE o.portfolio_id = :book GROUP BY o.id"""


async def mixed_round(env, racers, alice, seed, each=100):
    """A round of everything at once on two portfolios; the answers and what is left."""
    chance = Random(seed)
    books = [await make_portfolio(env, alice, 60) for _ in range(2)]
    for book in books:
        await keep(env, alice, book, "BUY 20 A @ 1")
    orders = [
        [
            chance.choice(MIX)
            | {"user": alice.id, "portfolio": chance.choice(books).id, "key": f"{racer}-{n}"}
            for n in range(each)
        ]
        for racer in range(2)
    ]
    answers = await run_race(racers, orders)
    return answers, [await balances(env, book) for book in books]


async def test_a_mix_of_everything_leaves_nothing_wrong(field, full):
    env, racers = field
    alice = await make_user(env, "racer")
    for seed in range(ROUNDS if full else 1):
        answers, found = await mixed_round(env, racers, alice, seed)
        assert set(answers) <= {"accepted", "refused"}, answers
        own = ("CASH", "UNSETTLED", "RESERVED", "RECEIVABLE", "POSITION")
        for book in found:
            assert not [
                name for name, amount in book.items() if name.split()[0] in own and amount < 0
            ]
            assert "RESERVED KRW" not in book
            for commodity in {name.split()[1] for name in book}:
                total = [a for name, a in book.items() if name.split()[1] == commodity]
                assert sum(total) == 0
    assert await drift(env) == []


async def test_locks_in_any_order_are_noticed_by_the_mix(field, servers, full):
    """The mutant of the lock order: accounts locked in a random order deadlock in the race."""
    env, racers = field
    alice = await make_user(env, "racer")
    url = env.settings.migration_url if full else servers.superuser_url
    superuser = Database(url, pool_size=1)
    try:
        async with superuser.write() as db:
            right = await db.scalar(text("SELECT pg_get_functiondef('hold_accounts'::regproc)"))
            wrong = right.replace("ORDER BY id FOR NO KEY", "ORDER BY random() FOR NO KEY")
            assert wrong != right
            await db.execute(text(wrong.replace(":", "\\:")))
        try:
            seen = ""
            for seed in range(100):  # the first does, where the two do run at a time
                answers, _ = await mixed_round(env, racers, alice, seed, each=15)
                seen += " ".join(answers)
                if "deadlock" in seen:
                    break
        finally:
            async with superuser.write() as db:
                await db.execute(text(right.replace(":", "\\:")))
        assert "deadlock" in seen
    finally:
        await superuser.close()
