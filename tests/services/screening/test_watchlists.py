"""Watchlists: made, named, filled, put in order and forgotten, by their owner alone."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from app.db.models import Watchlist
from app.env import Env
from app.errors import BadInput, Conflict, NotFound
from app.services.market.removal import remove_instrument
from app.services.screening.watchlists import (
    MOST_LISTS,
    add_pasted,
    delete_watchlist,
    get_watchlist,
    list_watchlists,
    move_within,
    rename_watchlist,
    save_watchlist,
    take_from,
)
from tests.factories import make_instrument
from tests.people import make_user

SYMBOLS = ("AAPL", "MSFT", "IBM", "GOOG")


@pytest.fixture
async def alice(env: Env) -> int:
    """Somebody where four instruments are followed."""
    for symbol in SYMBOLS:
        await make_instrument(env, symbol)
    return (await make_user(env)).id


async def make(env: Env, user_id: int, name: str = "Tech", *symbols: str) -> str:
    """The id of a new list."""
    return str((await save_watchlist(env, user_id, None, name, symbols or SYMBOLS)).id)


async def test_a_list_is_made_filled_ordered_renamed_and_forgotten(env, alice):
    one = await make(env, alice, "Tech", "aapl")
    row, words = await add_pasted(env, alice, one, ["IBM, MSFT", "AAPL NOPE"])
    assert row.symbols == ("AAPL", "IBM", "MSFT")
    assert [w.outcome for w in words] == ["ADDED", "ADDED", "LISTED", "UNKNOWN"]
    assert (await move_within(env, alice, one, "MSFT", 0)).symbols == ("MSFT", "AAPL", "IBM")
    assert (await take_from(env, alice, one, "AAPL")).symbols == ("MSFT", "IBM")
    assert (await rename_watchlist(env, alice, one, " Old friends ")).name == "Old friends"
    assert await list_watchlists(env, alice) == [await get_watchlist(env, alice, one)]
    replaced = await save_watchlist(env, alice, one, "Tech", ["GOOG"])
    assert (str(replaced.id), replaced.symbols) == (one, ("GOOG",))
    await delete_watchlist(env, alice, one)
    assert await list_watchlists(env, alice) == []
    with pytest.raises(NotFound):
        await get_watchlist(env, alice, one)


@pytest.mark.parametrize(
    ("name", "symbols", "field", "said"),
    [
        ("", ["AAPL"], "name", "1 to 60"),
        ("x" * 61, ["AAPL"], "name", "1 to 60"),
        ("a\nb", ["AAPL"], "name", "printable"),
        ("Tech", ["AAPL", "NOPE"], "symbols", "'NOPE', which is not followed here"),
        ("Tech", ["'; --"], "symbols", "not followed here"),
        ("Tech", [f"S{n}" for n in range(10_000)], "symbols", "10000 entries; .* at most 200"),
    ],
)
async def test_what_cannot_be_a_list_is_refused_by_its_field(
    env, alice, name, symbols, field, said
):
    with pytest.raises(BadInput, match=said) as told:
        await save_watchlist(env, alice, None, name, symbols)
    assert told.value.field == field
    assert await list_watchlists(env, alice) == []


async def test_a_paste_that_is_too_long_changes_nothing(env, alice):
    one = await make(env, alice, "Tech", "AAPL")
    for lines, said in (
        (["A " * 10_000], "10000 entries; it must be from 1 to 600"),
        ([" "], "0 entries"),
    ):
        with pytest.raises(BadInput, match=said):
            await add_pasted(env, alice, one, lines)
    symbols = [f"F{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(200)]
    for symbol in symbols:
        await make_instrument(env, symbol)
    with pytest.raises(BadInput, match="symbols has 201 entries; a watchlist has at most 200"):
        await add_pasted(env, alice, one, symbols)
    assert (await get_watchlist(env, alice, one)).symbols == ("AAPL",)


async def test_a_name_is_taken_once_and_there_are_at_most_fifty_lists(env, alice):
    one = await make(env, alice, "Tech")
    await make(env, alice, "Other")
    with pytest.raises(Conflict, match="There is a watchlist Tech already"):
        await make(env, alice, "Tech")
    with pytest.raises(Conflict, match="There is a watchlist Other already"):
        await rename_watchlist(env, alice, one, "Other")
    for n in range(MOST_LISTS - 2):
        await make(env, alice, f"List {n}", "AAPL")
    with pytest.raises(Conflict, match="There are 50 watchlists already; delete one first"):
        await make(env, alice, "One more")
    charlie = (await make_user(env, "charlie")).id
    await make(env, charlie, "Tech")  # another's names are another's


async def test_of_changes_at_once_none_is_lost(env, alice):
    one = await make(env, alice, "Tech", "AAPL")
    async with asyncio.TaskGroup() as group:
        for symbol in SYMBOLS[1:]:
            group.create_task(add_pasted(env, alice, one, [symbol]))
    assert sorted((await get_watchlist(env, alice, one)).symbols) == sorted(SYMBOLS)


async def test_a_symbol_stays_when_its_instrument_is_removed_until_it_is_taken_off(env, alice):
    one = await make(env, alice)
    await remove_instrument(env, "IBM", confirmed=True)
    assert (await get_watchlist(env, alice, one)).symbols == SYMBOLS
    assert (await move_within(env, alice, one, "IBM", 0)).symbols[0] == "IBM"
    assert (await take_from(env, alice, one, "IBM")).symbols == ("AAPL", "MSFT", "GOOG")


async def test_row_security_shows_nobody_another_s_list(env, alice):
    await make(env, alice)
    charlie = (await make_user(env, "charlie")).id
    for uid, seen in ((alice, 1), (charlie, 0), (None, 0)):
        async with env.db.read(uid=uid) as db:
            assert len((await db.scalars(select(Watchlist))).all()) == seen
