"""Static files: their addresses, caching and compression."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.config import resource_dir
from app.web.static import STYLE_SHEETS, StaticFiles

STATICS = StaticFiles(resource_dir("static"))
APP = Starlette(
    routes=[
        Route("/static/{path:path}", STATICS.serve),
        Route("/sw.js", STATICS.serve_worker),
    ]
)


async def get(address: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(APP)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(address, headers=headers)


@pytest.mark.parametrize("name", STATICS.names())
async def test_a_file_asked_for_by_its_hash_is_kept_for_a_year(name):
    answer = await get(STATICS.url(name))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_without_its_hash_or_with_an_old_one_a_file_is_checked_each_time():
    for address in ("/static/app.css", "/static/app.css?v=old"):
        answer = await get(address)
        assert answer.headers["cache-control"] == "no-cache"
        again = await get(address, **{"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


async def test_text_travels_packed_to_who_can_unpack_it():
    packed = await get("/static/app.css", **{"Accept-Encoding": "gzip"})
    plain = await get("/static/app.css", **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    image = await get("/static/icons/sise-192.png", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in image.headers


async def test_unknown_files_are_not_there():
    for name in ("nothing.css", "../pyproject.toml", "css/tokens.css"):
        assert (await get(f"/static/{name}")).status_code == 404


async def test_the_style_sheet_is_all_its_parts_in_order():
    text = (await get("/static/app.css")).text
    folder = resource_dir("static") / "css"
    rest = iter(text.split())
    for name in STYLE_SHEETS:  # every word of every part, its comments apart, and nothing between
        sheet = re.sub(r"/\*.*?\*/", "", (folder / f"{name}.css").read_text(), flags=re.DOTALL)
        assert [next(rest) for _ in sheet.split()] == sheet.split(), name
    assert list(rest) == []
    assert "/*" not in text
    assert {path.stem for path in folder.glob("*.css")} == set(STYLE_SHEETS)


async def test_what_a_file_names_has_its_hash(tmp_path):
    (tmp_path / "css").mkdir()
    for name in STYLE_SHEETS:
        (tmp_path / "css" / f"{name}.css").write_text(f".{name} {{ }}")
    (tmp_path / "a.js").write_text("import { b } from './b.js';")
    (tmp_path / "b.js").write_text("export const b = 1;")
    (tmp_path / "page.html").write_text('<script src="/static/a.js"></script>')
    before = StaticFiles(tmp_path)
    (tmp_path / "b.js").write_text("export const b = 2;")
    after = StaticFiles(tmp_path)
    for name in ("a.js", "b.js", "page.html"):
        assert before.url(name) != after.url(name), name
    assert before.url("app.css") == after.url("app.css")


async def test_the_service_worker_is_at_the_root_and_changes_with_any_file():
    answer = await get("/sw.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert re.search(r"// [0-9a-f]{12}\n$", answer.text)


async def test_a_module_is_never_asked_for_without_its_hash():
    for name in STATICS.names():
        if name.endswith(".js") and "/" not in name:
            text = (await get(STATICS.url(name))).text
            assert not re.findall(r"from '\./[\w-]+\.js'", text), name


def test_addresses_are_the_same_in_every_process():
    again = StaticFiles(resource_dir("static"))
    assert [again.url(name) for name in again.names()] == [STATICS.url(n) for n in STATICS.names()]
