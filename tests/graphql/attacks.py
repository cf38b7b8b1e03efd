"""Requests that mean harm, by class, each with the answer that it has to get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from graphql import get_introspection_query

JSON = {"content-type": "application/json"}
NODE = "edges { node { symbol } }"
Check = Callable[[httpx.Response], bool]


def status(code: int) -> Check:
    """Refused before the schema."""
    return lambda answer: answer.status_code == code and "data" not in answer.json()


def errors(*codes: str) -> Check:
    """Not executed: an error of one of these codes and no data, in a small answer."""

    def check(answer: httpx.Response) -> bool:
        body = answer.json()
        found = {error["extensions"]["code"] for error in body.get("errors", [])}
        refused = bool(found) and found <= set(codes) and body.get("data") is None
        return refused and len(answer.content) < 10_000

    return check


def normal(answer: httpx.Response) -> bool:
    """Executed as it stands."""
    return answer.status_code == 200 and "errors" not in answer.json()


COSTLY = errors("TOO_COSTLY")
WRONG = errors("BAD_INPUT")


@dataclass(frozen=True)
class Attack:
    """One request: bytes are sent as they are, anything else as JSON."""

    name: str
    body: Any
    expected: Check
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    method: str = "POST"
    path: str = "/graphql"

    @property
    def content(self) -> bytes | None:
        """What is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return orjson.dumps(self.body)


def query(name: str, text: str, expected: Check, **variables: Any) -> Attack:
    """An attack by a document."""
    return Attack(name, {"query": text, "variables": variables or None}, expected)


def bomb(levels: int) -> str:
    """Fragments of which each spreads the next one twice."""
    parts = [f"fragment F{i} on Instrument {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels)]
    last = f"fragment F{levels} on Instrument {{ symbol }}"
    return '{ instrument(symbol: "A") { ...F0 } } ' + " ".join([*parts, last])


def documents() -> Iterator[Attack]:
    """Depth, width, cost: documents that ask for too much."""
    nested = "quote { x " * 12 + "}" * 12
    yield query("depth 13", '{ instrument(symbol: "A") { ' + nested + " } }", COSTLY)
    chain = "".join(f"fragment D{i} on Quote {{ a {{ b {{ ...D{i + 1} }} }} }} " for i in range(8))
    deep = '{ instrument(symbol: "A") { quote { ...D0 } } } '
    yield query("depth through fragments", deep + chain, COSTLY)
    circle = "fragment A on Quote { ...B } fragment B on Quote { ...A }"
    yield query("circular fragments", "{ quotes(symbols: []) { ...A } } " + circle, WRONG)
    own = "fragment A on Quote { symbol ...A }"
    yield query("a fragment of itself", "{ quotes(symbols: []) { ...A } } " + own, WRONG)
    yield query("8 doubling levels", bomb(8), normal)
    for levels in (18, 40, 60, 90):
        yield query(f"{levels} doubling levels", bomb(levels), COSTLY)
    aliases = " ".join(f"a{i}: __typename" for i in range(300))
    yield query("300 aliases", "{ " + aliases + " }", COSTLY)
    many = " ".join(f"a{i}: __typename" for i in range(1000))
    yield query("1,000 aliases", "{ " + many + " }", WRONG)
    fields = " ".join(f"b{i}: symbol" for i in range(14))
    spreads = " ".join(f'c{i}: instrument(symbol: "A") {{ ...F }}' for i in range(50))
    fragment = "fragment F on Instrument { " + fields + " }"
    yield query("50 spreads of 14 aliases", "{ " + spreads + " } " + fragment, COSTLY)
    for count in (6, 100):
        jobs = " ".join(f"m{i}: collect {{ id }}" for i in range(count))
        yield query(f"{count} aliased mutations", "mutation { " + jobs + " }", COSTLY)
    for count in (2, 50):
        tries = " ".join(
            f'm{i}: signIn(username: "a", password: "{i}") {{ expiresIn }}' for i in range(count)
        )
        yield query(f"{count} aliased logins", "mutation { " + tries + " }", COSTLY)
    same = " ".join(["collect { id }"] * 6)
    yield query("6 equal mutations", "mutation { " + same + " }", COSTLY)
    lists = "instrument { " * 3 + "symbol" + " }" * 3
    inner = "bars(first: 100) { edges { node { day open high low close } } }"
    yield query(
        "lists in lists", "{ instruments(first: 100) { edges { node { " + inner + " } } } }", COSTLY
    )
    yield query("what is no list", "{ collections(first: 40) { " + lists + " } }", WRONG)
    series = "series a: series(last: 2) b: series(last: 3)"
    yield query(
        "200 series", "{ instruments(first: 200) { edges { node { " + series + " } } } }", COSTLY
    )
    yield query("page of 300,000", "{ instruments(first: 300000) { " + NODE + " } }", COSTLY)
    page = "query($n: Int) { instruments(first: $n) { " + NODE + " } }"
    yield query("page of 300,000 as a variable", page, normal, n=300_000)
    yield query("page below zero", page, WRONG, n=-1)
    yield query("Int overflow", page, WRONG, n=2**31)
    yield query(
        "Int overflow as a literal", "{ instruments(first: 99999999999) { " + NODE + " } }", COSTLY
    )
    yield query("990 equal fields", "{ " + "__typename " * 990 + "}", COSTLY)
    yield query("5,000 fields", "{ " + "__typename " * 5_000 + "}", WRONG)
    known, unknown = "@include(if: true) " * 100, "@no " * 450
    yield query("100 directives", "{ __typename " + known + "}", COSTLY)
    yield query("450 unknown directives", "{ __typename " + unknown + "}", COSTLY)
    yield query("2,000 directives", "{ __typename " + "@no " * 2_000 + "}", WRONG)
    operations = " ".join(f"query Q{i} {{ __typename }}" for i in range(180))
    yield query("180 operations", operations, WRONG)
    yield query("500 operations", operations + operations.replace("Q", "R"), WRONG)
    yield query(
        "two operations without a name", "query A { __typename } query B { __typename }", WRONG
    )


def meanings() -> Iterator[Attack]:
    """Documents that ask for what is not told, and texts that try to be something else."""
    yield query("introspection", get_introspection_query(), WRONG)
    yield query("introspection of a type", '{ __type(name: "Query") { name } }', WRONG)
    yield query("introspection by alias", "{ a: __schema { queryType { name } } }", WRONG)
    typed = lambda answer: WRONG(answer) and "Did you mean" not in answer.text  # noqa: E731
    yield query("a misspelt field", "{ marketz { mic } }", typed)
    yield query("a misspelt argument", '{ instrument(symbl: "A") { name } }', typed)
    yield query("a misspelt type", "query($x: Instrumen) { __typename }", typed)
    yield query("@defer", "{ ... @defer { __typename } }", WRONG)
    yield query("@stream", "{ markets @stream { mic } }", WRONG)
    yield query("a subscription by POST", 'subscription { quotes(symbols: ["A"]) { at } }', WRONG)
    yield query("20,000 braces", "{" * 20_000, WRONG)
    yield query("20,000 brackets", "query($a: " + "[" * 20_000, WRONG)
    yield query(
        "300 levels of a list", "{ quotes(symbols: " + "[" * 300 + "]" * 300 + ") { at } }", WRONG
    )
    yield query("an open text", '{ instrument(symbol: "', WRONG)
    search = "query($s: String) { instruments(search: $s) { totalCount } }"
    for text in ("'; DROP TABLE bar; --", "%", "_", "\\", "%' OR 1=1 --", "\u202e", "😀" * 20):
        yield query(f"search for {text[:12]!a}", search, lambda a: normal(a) or WRONG(a), s=text)
    for text in ("\x00", "A\x00B", "x" * 5_000):
        yield query(f"search for {text[:6]!a}", search, WRONG, s=text)
    symbol = "query($s: String!) { instrument(symbol: $s) { name } }"
    yield query("NUL in a symbol", symbol, lambda a: normal(a) or WRONG(a), s="A\x00")
    yield query("a NUL escape in a literal", '{ instrument(symbol: "A\\u0000") { name } }', normal)
    yield query(
        "half a character in a literal", '{ instrument(symbol: "\\ud800") { name } }', WRONG
    )
    for cursor in ("x", "AAAA", "eyJhIjogMX0", "W10", "../../etc/passwd", "\x00"):
        after = "query($a: String) { instruments(after: $a) { totalCount } }"
        yield query(f"cursor {cursor!a}", after, WRONG, a=cursor)
    day = 'query($d: Date) { fxRate(base: "USD", quote: "KRW", on: $d) { rate } }'
    for value in ("0000-00-00", "2025-02-30", 0, 1e30, ["2025-01-01"], {}):
        yield query(f"day {value!a}", day, WRONG, d=value)


def requests() -> Iterator[Attack]:
    """What is no GraphQL request at all, and requests that others make a browser send."""
    text = orjson.dumps({"query": "{ markets { mic } }"})
    get = {"accept": "text/html"}
    yield Attack("GraphiQL", None, status(405), get, "GET")
    asked = "/graphql?query=%7Bmarkets%7Bmic%7D%7D"
    yield Attack("GET query", None, status(405), {}, "GET", asked)
    change = "/graphql?query=mutation%7Bcollect%7Bid%7D%7D"
    yield Attack("GET mutation", None, status(405), {}, "GET", change)
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        yield Attack(f"body as {kind}", text, status(415), {"content-type": kind})
    yield Attack("body of no type", text, status(415), {})
    yield Attack("batch", [{"query": "{ __typename }"}] * 10, status(400))
    mutation = {"query": "mutation { collect { id } }"}
    for origin in ("https://evil.example", "null", "http://localhost:8000.evil.example"):
        headers = {**JSON, "origin": origin, "cookie": "sise_locale=ko"}
        yield Attack(f"cookie with origin {origin}", mutation, status(403), headers)
    yield Attack("cookie without origin", mutation, status(403), {**JSON, "cookie": "a=b"})
    site = {**JSON, "sec-fetch-site": "cross-site"}
    yield Attack("from another site", mutation, status(403), site)
    yield Attack("body of 1 MB", b" " * 1_000_000, status(413))
    for body in (b"null", b"[" * 60_000, b'{"a":' * 10_000, b'{"query": 1}', b'{"query": ["x"]}'):
        yield Attack(f"body {body[:16]!a}", body, status(400))
    yield Attack("half a character", b'{"query": "{ a(b: \\"\\ud800\\") }"}', status(400))
    yield Attack("bytes that are no text", b"\xff\xfe{}", status(400))
    yield Attack(
        "huge number", b'{"query": "{ __typename }", "variables": {"n": 1e999}}', status(400)
    )


def all_attacks() -> list[Attack]:
    """Every request of the table."""
    return [*documents(), *meanings(), *requests()]
