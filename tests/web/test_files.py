"""Uploads and downloads: up to their bound, whole, and only one's own."""

from __future__ import annotations

import io

import openpyxl
import pytest

from app.domain.transactions import PortfolioKind
from app.services.people.token_pairs import open_family
from app.services.portfolio.ledger import list_entries
from app.web.files import ENVELOPE, MOST_UPLOADED
from tests.ledgers import make_portfolio
from tests.people import DEVICE, make_user
from tests.services.records.test_record_import import FILE, HEAD
from tests.serving import asgi_client

TEXT = (HEAD + FILE).encode()
KOREAN = "거래일자,거래구분,거래금액\n2024.01.02,입금,5\n".encode("cp949")


@pytest.fixture
async def alice(env):
    return await make_user(env)


@pytest.fixture
async def book(env, alice):
    return await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)


async def bearer(env, user):
    """The header by which the person's program is known."""
    return {"Authorization": f"Bearer {(await open_family(env, user.id, DEVICE)).access_token}"}


@pytest.fixture
async def client(env, settings, alice):
    async with asgi_client(settings) as found:
        found.http.headers.update(await bearer(env, alice))
        yield found


async def send(client, book, data: bytes, **fields):
    address = f"/portfolios/{book.id}/import"
    return await client.http.post(address, files={"file": ("a.csv", data)}, data=fields)


async def test_a_file_is_told_then_recorded(env, alice, book, client):
    told = await send(client, book, TEXT)
    assert told.status_code == 200
    assert (told.json()["recorded"], told.json()["fresh"], told.json()["dryRun"]) == (0, 3, True)
    assert told.json()["rows"][0]["amount"] == "1000000"
    done = await send(client, book, TEXT, dryRun="false")
    assert done.json()["recorded"] == 3
    assert len(await list_entries(env, alice.id, str(book.id))) == 3


async def test_cp949_and_workbooks_are_taken(client, book):
    sheet = openpyxl.Workbook()
    for row in (["거래일자", "거래구분", "거래금액"], ["2024-01-02", "입금", 7]):
        sheet.active.append(row)
    out = io.BytesIO()
    sheet.save(out)
    assert (await send(client, book, KOREAN)).json()["rows"][0]["amount"] == "5"
    assert (await send(client, book, out.getvalue())).json()["rows"][0]["amount"] == "7"


async def test_what_is_exported_can_be_imported(env, alice, book, client):
    await send(client, book, TEXT, dryRun="false")
    for suffix, media_type in (("csv", "text/csv"), ("json", "application/json")):
        answer = await client.http.get(f"/portfolios/{book.id}/export.{suffix}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="sise-{book.id}.{suffix}"'
        )
        assert answer.headers["cache-control"] == "no-store"
        other = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
        assert (await send(client, other, answer.content, dryRun="false")).json()["recorded"] == 3


async def test_too_large_a_file_is_refused_while_it_comes(client, book):
    address = f"/portfolios/{book.id}/import"
    read = 0

    async def endless():
        nonlocal read
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while read < 3 * MOST_UPLOADED:
            read += 65_536
            yield b"a" * 65_536

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.http.post(address, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert answer.json() == {
        "code": "BAD_INPUT",
        "field": "file",
        "message": "The upload is larger than 10485760 bytes.",
    }
    said = await send(client, book, b"a" * (MOST_UPLOADED + ENVELOPE))
    assert said.status_code == 413
    little = await send(client, book, b"a" * (MOST_UPLOADED + 1))
    assert little.status_code == 413


@pytest.mark.parametrize(
    ("body", "media_type", "words"),
    [
        (b"a=1", "application/x-www-form-urlencoded", "must be sent as multipart/form-data"),
        (b"junk", "multipart/form-data; boundary=x", "cannot be read"),
        (b"junk", "multipart/form-data", "cannot be read"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", "has no file"),
    ],
)
async def test_what_is_no_upload_is_refused(client, book, body, media_type, words):
    answer = await client.http.post(
        f"/portfolios/{book.id}/import", content=body, headers={"content-type": media_type}
    )
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_a_bad_file_is_told_in_the_readers_language(client, book):
    answer = await client.http.post(
        f"/portfolios/{book.id}/import",
        files={"file": ("a", b"")},
        headers={"accept-language": "ko"},
    )
    assert (answer.status_code, answer.json()["message"]) == (400, "파일이 비어 있습니다.")


async def test_only_ones_own_and_only_what_there_is(env, settings, alice, book):
    charlie = await make_user(env, "charlie")
    async with asgi_client(settings) as client:
        signed_out = await client.http.get(f"/portfolios/{book.id}/export.csv")
        client.http.headers.update(await bearer(env, charlie))
        foreign = await client.http.get(f"/portfolios/{book.id}/export.csv")
        missing = await client.http.get("/portfolios/987654321/export.csv")
        no_id = await client.http.get("/portfolios/x/export.csv")
        sent = await send(client, book, TEXT, dryRun="false")
        client.http.headers.update(await bearer(env, alice))
        odd = await client.http.get(f"/portfolios/{book.id}/export.xml")
    assert signed_out.status_code == 401
    assert foreign.status_code == missing.status_code == no_id.status_code == 404
    assert foreign.content == missing.content
    assert sent.status_code == 404
    assert odd.status_code == 400
    assert await list_entries(env, alice.id, str(book.id)) == []
