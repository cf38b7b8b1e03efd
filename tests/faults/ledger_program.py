"""A second writer for the tests of the ledger: a process that trades as it is told, line by line."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from app.config import load_settings
from app.domain.quotes import Quote
from app.env import Env, open_env
from app.errors import BadInput, Conflict, NotFound, Unavailable
from app.services.portfolio.booking import entry_item, now_of, post, reservation_item, reversal_item
from app.services.portfolio.ledger import record_transaction, reverse_transaction
from app.services.portfolio.settling import settle_portfolio
from app.services.trading.matching import fill_orders
from tests.ledgers import DAY, LATER, read

TODAY = dict.fromkeys(("KRW", "USD"), DAY)


async def one(env: Env, order: dict[str, Any]) -> str:
    """What became of one order, in a word."""
    try:
        await ACTIONS[order["do"]](env, order)
    except BadInput:
        return "refused"
    except (Conflict, NotFound):
        return "conflict"
    except Exception as error:  # noqa: BLE001 - the test asserts that there is none
        return f"{type(error).__name__}: {error}"[:200]
    return "accepted"


async def record(env: Env, order: dict[str, Any]) -> None:
    """An entry in the small notation."""
    days = date.fromisoformat(order["settles"]) if "settles" in order else DAY
    entry, whose = read(order["words"], days), str(order["portfolio"])
    await record_transaction(env, order["user"], whose, entry, order["key"], today=TODAY)


async def reverse(env: Env, order: dict[str, Any]) -> None:
    """Records an entry and takes it back."""
    entry, whose = read(order["words"], LATER), str(order["portfolio"])
    made = await record_transaction(env, order["user"], whose, entry, order["key"], today=TODAY)
    await reverse_transaction(env, order["user"], str(made.id), order["key"] + " undone")


async def fill(env: Env, order: dict[str, Any]) -> None:
    """Reserves money, then buys for half of it in one step and reserves the rest."""
    portfolio, user, key = order["portfolio"], order["user"], order["key"]
    when = now_of(env, TODAY)
    first = reservation_item(portfolio, f":{key}", "KRW", Decimal(4), DAY)
    held = await post(env.db.call, portfolio, user, [first], when)
    steps = [
        reversal_item(portfolio, f":{key}:1", held.ids[0], release=True),
        entry_item(portfolio, f":{key}:2", read("BUY 2 A @ 1", LATER), when),
        reservation_item(portfolio, f":{key}:3", "KRW", Decimal(2), DAY),
    ]
    rest = await post(env.db.call, portfolio, user, steps, when)
    release = reversal_item(portfolio, f":{key}:4", rest.ids[2], release=True)
    await post(env.db.call, portfolio, user, [release], when)


async def settle(env: Env, order: dict[str, Any]) -> None:
    """Settles all there is."""
    await settle_portfolio(env, order["portfolio"], dict.fromkeys(TODAY, LATER))


async def match(env: Env, order: dict[str, Any]) -> None:
    """What a worker does with a new price."""
    await fill_orders(env, [Quote.from_json(order["quote"].encode())])


ACTIONS = {"match": match, "record": record, "reverse": reverse, "fill": fill, "settle": settle}


async def race(env: Env) -> None:
    """Reads lists of orders, carries each list out all at once, and answers with what came."""
    for line in sys.stdin:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(env, order)) for order in json.loads(line)]
        print(json.dumps(Counter(task.result() for task in tasks)), flush=True)


async def trade(env: Env, order: dict[str, Any]) -> None:
    """Trades for ever, each order until it is acknowledged, and says which it was."""
    chance, number = Random(order["key"]), 0
    while True:
        number += 1
        words = chance.choice(("BUY 1 A @ 1 fee 1", "SELL 1 A @ 1", "DEPOSIT 2"))
        asked = order | {"words": words, "settles": str(LATER), "key": f"{order['key']}-{number}"}
        while True:
            try:
                await record(env, asked)
            except Unavailable:
                await asyncio.sleep(0.05)
            except BadInput:
                break
            else:
                print(asked["key"], flush=True)
                break


async def settle_for_ever(env: Env, order: dict[str, Any]) -> None:
    """What the worker does, without rest."""
    while True:
        try:
            await settle(env, order)
        except Unavailable:
            await asyncio.sleep(0.05)
        print("settled", flush=True)


async def main() -> None:
    """`race`, or `trade` or `settle` with the order as JSON."""
    role, *rest = sys.argv[1:]
    async with open_env(load_settings(), application="ledger-test", pool_size=8) as env:
        print("ready", flush=True)
        if role == "race":
            await race(env)
        else:
            await {"trade": trade, "settle": settle_for_ever}[role](env, json.loads(rest[0]))


if __name__ == "__main__":
    asyncio.run(main())
