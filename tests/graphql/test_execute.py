"""The pages' documents: all of them fit the schema, and they run without its limits."""

from __future__ import annotations

import asyncio

import pytest

from app.config import resource_dir
from app.errors import AppError, BadInput, ConfigError, NotFound, Unavailable
from app.graphql import execute
from app.graphql.execute import TrustedDocument, load_documents, read_document, run_document
from tests.factories import make_bars, make_instrument
from tests.graphql.asking import make_context


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """A folder of templates in place of ours; returns what writes a document into it."""
    monkeypatch.setattr(execute, "resource_dir", lambda _name: tmp_path)

    def write(name: str, text: str) -> None:
        file = tmp_path / f"{name}.graphql"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return write


def test_every_document_of_the_pages_fits_the_schema():
    """Each by itself, too: at the start they are checked all at once."""
    templates = resource_dir("templates")
    documents = load_documents(templates)
    assert documents
    for name, document in documents.items():
        assert read_document(templates / f"{name}.graphql") == document


def test_a_document_is_named_by_its_place(pages, tmp_path):
    pages("instrument/page", "query($s: String!) { instrument(symbol: $s) { name } }")
    pages("jobs/_rows", "{ collections { id } }")
    assert list(load_documents(tmp_path)) == ["instrument/page", "jobs/_rows"]


def test_documents_of_a_page_share_the_fragments_that_they_spread(pages, tmp_path):
    fragments = "fragment Seat on MarketStatus { mic }\nfragment Hours on MarketStatus { open }\n"
    pages("markets/page", "{\n  markets {\n    ...Seat\n  }\n}\n")
    (tmp_path / "markets" / "fragments.gql").write_text(fragments, encoding="utf-8")
    pages("markets/_rows", "{ markets { mic } }")
    found = load_documents(tmp_path)
    names = {
        name: [d.name and d.name.value for d in it.node.definitions] for name, it in found.items()
    }
    assert names == {"markets/_rows": [None], "markets/page": [None, "Seat"]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ markets {", "Syntax Error"),
        ("{ marketz { mic } }", "marketz"),
        ("fragment F on Quote { at }", "F"),
        ("query A { markets { mic } } query B { markets { mic } }", "exactly one operation"),
    ],
)
def test_a_document_that_does_not_fit_stops_the_start(tmp_path, text, why):
    (tmp_path / "other.graphql").write_text("query Right { markets { mic } }", encoding="utf-8")
    file = tmp_path / "page.graphql"
    file.write_text(text, encoding="utf-8")
    for read, place in ((read_document, file), (load_documents, tmp_path)):
        with pytest.raises(ConfigError, match=r"page\.graphql") as refused:
            read(place)
        assert why in str(refused.value)


async def test_a_document_is_answered_as_json_values(env, pages):
    pages(
        "p/page",
        "query($s: String!) { instrument(symbol: $s) { symbol bars { edges { node { day close } } } } }",
    )
    await make_instrument(env, "AAPL")
    (day,) = await make_bars(env, "AAPL", [187.43])
    found = await run_document("p/page", {"s": "aapl"}, make_context(env))
    assert found == {
        "instrument": {
            "symbol": "AAPL",
            "bars": {"edges": [{"node": {"day": day.isoformat(), "close": "187.43"}}]},
        }
    }


async def test_the_limits_are_for_others(env, pages):
    aliases = " ".join(f"a{i}: markets {{ mic }}" for i in range(30))
    pages("many/page", "{ " + aliases + " }")
    assert len(await run_document("many/page", None, make_context(env))) == 30


async def test_what_goes_wrong_is_raised_as_it_was(env, pages, caplog):
    pages("a/rows", "{ instruments(first: 0) { totalCount } }")
    with pytest.raises(BadInput, match="first is 0"):
        await run_document("a/rows", None, make_context(env))
    pages("b/change", 'mutation { collect(symbols: ["NONE"]) { id } }')

    async def change():
        return await execute._execute(
            read_document(execute.resource_dir("") / "b" / "change.graphql").node,
            {},
            make_context(env),
        )

    result = await change()
    with pytest.raises(NotFound, match="NONE"):
        raise result.errors[0].original_error


async def test_a_variable_that_is_wrong_names_itself(env, tmp_path, monkeypatch):
    file = tmp_path / "page.graphql"
    file.write_text('query($d: Date) { fxRate(base: "USD", quote: "KRW", on: $d) { rate } }')
    monkeypatch.setattr(execute, "resource_dir", lambda _name: tmp_path)
    with pytest.raises(BadInput) as wrong:
        await run_document("page", {"d": "yesterday"}, make_context(env))
    assert wrong.value.field == "d"


async def test_a_defect_is_masked_and_logged(env, tmp_path, monkeypatch, caplog):
    class BrokenHub:
        async def quotes(self, _symbols):
            raise RuntimeError("password=hunter2")

    (tmp_path / "page.graphql").write_text('{ quotes(symbols: ["A"]) { at } }')
    monkeypatch.setattr(execute, "resource_dir", lambda _name: tmp_path)
    with pytest.raises(AppError) as masked:
        await run_document("page", None, make_context(env, hub=BrokenHub()))
    assert "hunter2" not in str(masked.value)
    assert "hunter2" in caplog.text


async def test_a_page_has_a_deadline_too(env, tmp_path, monkeypatch):
    class SlowHub:
        async def quotes(self, _symbols):
            await asyncio.sleep(10)

    (tmp_path / "page.graphql").write_text('{ quotes(symbols: ["A"]) { at } }')
    monkeypatch.setattr(execute, "resource_dir", lambda _name: tmp_path)
    document = read_document(tmp_path / "page.graphql")
    short = {"page": TrustedDocument(document.node, 0.05)}
    monkeypatch.setattr(execute, "load_documents", lambda _folder: short)
    with pytest.raises(Unavailable, match=r"longer than 0\.05 s"):
        await run_document("page", None, make_context(env, hub=SlowHub()))
