"""An installation with a few prices, and pages read as a reader reads them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from html.parser import HTMLParser

import httpx
from sqlalchemy import text

from app.config import Settings
from app.domain.access import Role
from app.env import Env
from tests.factories import make_bars, make_dividend, make_instrument, make_split
from tests.people import PASSWORD, make_user
from tests.serving import Client, asgi_client

VOID = {"br", "col", "hr", "img", "input", "link", "meta"}
START = date(2025, 1, 6)


async def choose_source(env: Env, name: str) -> None:
    """What the first start does."""
    async with env.db.write() as db:
        await db.execute(
            text("INSERT INTO setting VALUES ('source', to_jsonb(:n ::text))"), {"n": name}
        )


async def make_market(env: Env, source: str = "yahoo") -> None:
    """Apple, Samsung Electronics and the KOSPI with 80 closes each; Apple has a split."""
    await choose_source(env, source)
    await make_instrument(env, "AAPL", name="Apple Inc.", name_local="애플", position=2)
    await make_instrument(
        env, "005930.KS", name="Samsung Electronics Co., Ltd.", name_local="삼성전자", position=1
    )
    await make_instrument(
        env,
        "^KS11",
        name="KOSPI Composite Index",
        name_local="코스피 지수",
        mic="XKRX",
        currency="KRW",
        kind="INDEX",
        position=3,
    )
    await make_bars(env, "AAPL", [180 + i / 4 for i in range(80)], start=START)
    await make_bars(env, "005930.KS", [70_000 + 100 * i for i in range(80)], start=START)
    await make_bars(env, "^KS11", [2_700 + i / 2 for i in range(80)], start=START)
    await make_split(env, "AAPL", date(2025, 2, 3), 4)
    await make_dividend(env, "AAPL", date(2025, 2, 10), 0.25)


@asynccontextmanager
async def browsing(settings: Settings, locale: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """A reader with that language who follows redirects by hand."""
    async with asgi_client(settings) as client:
        client.http.headers["Accept-Language"] = locale
        client.http.headers["Origin"] = "http://localhost:8000"
        yield client.http


@asynccontextmanager
async def signed_in(
    env: Env, settings: Settings, role: Role = Role.USER, *, market: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    """Alice's browser; without a `market` there is no price yet."""
    await (make_market(env) if market else choose_source(env, "yahoo"))
    await make_user(env, role=role)
    async with browsing(settings) as http:
        await http.post("/login", data={"username": "alice", "password": PASSWORD})
        yield http


async def post(http: httpx.AsyncClient, page: str, act: str, **fields: str) -> httpx.Response:
    """A form of a page of the settings."""
    return await http.post(f"/settings/{page}", data={"act": act, **fields})


@asynccontextmanager
async def calling_from(settings: Settings, address: str) -> AsyncIterator[Client]:
    """A client at another address."""
    async with asgi_client(settings, address=address) as client:
        client.http.headers["Origin"] = "http://localhost:8000"
        yield client


class Reader(HTMLParser):
    """The text of a page by language, and its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.languages: list[tuple[str, str]] = [("", "")]
        self.words: dict[str, list[str]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the tag; what is in it has its language."""
        known = dict(attrs)
        self.tags.append((tag, known))
        language = known.get("lang") or self.languages[-1][1]
        if tag not in VOID:
            self.languages.append((tag, language))
        for name in ("aria-label", "title", "placeholder"):
            self._note(known.get(name) or "", language)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag without anything in it."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Goes back to the language around it."""
        if tag in VOID:
            return
        opened, _ = self.languages.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        """Notes the text."""
        if self.languages[-1][0] not in {"script", "style"}:
            self._note(data, self.languages[-1][1])

    def _note(self, data: str, language: str) -> None:
        if data.strip():
            self.words.setdefault(language, []).append(" ".join(data.split()))


def read(page: str) -> Reader:
    """Reads a page; every tag has to be closed in order."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.languages) == 1, f"never closed: {reader.languages[1:]}"
    return reader


def text_of(page: str) -> str:
    """All text of a page, in one line."""
    return " ".join(word for words in read(page).words.values() for word in words)


def cell(page: str, symbol: str, field: str) -> str:
    """What the first live cell of a symbol and field shows."""
    pattern = rf'data-q="{re.escape(symbol)}"\s+data-f="{field}"[^>]*>([^<]*)<'
    found = re.search(pattern, page)
    assert found is not None, f"no cell {field} of {symbol}"
    return found[1]
