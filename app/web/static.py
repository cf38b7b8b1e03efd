"""Static files: read once, named by a hash of their content, served gzipped and for ever.

`url("app.css")` gives `/static/app.css?v=…`; asked for by that name a file may be kept for a year
and never asked for again. Without the hash, or with an old one, it is checked by its ETag.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE: Final = "public, max-age=31536000, immutable"
CHECKED: Final = "no-cache"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
}
_PAGES: Final = ("chart", "pages", "data", "markets", "account")
STYLE_SHEETS: Final = ("tokens", "base", "layout", "components", *_PAGES)
_NAMED: Final = {
    ".html": re.compile(rb"(?P<root>/static/)(?P<name>[\w./-]+)"),
    ".js": re.compile(rb"(?<=from ['\"])(?P<root>\./)(?P<name>[\w./-]+)"),
}
_FOR_WRITERS: Final = re.compile(rb"/\*.*?\*/|^\s+", re.DOTALL | re.MULTILINE)
"""What style sheets have for who writes them: comments, blank lines and indentation."""

_PACKED: Final = frozenset(TYPES) - {".png"}


@dataclass(frozen=True)
class StaticFile:
    """One file in memory: its bytes, the same gzipped (None: not worth it), and its hash."""

    body: bytes
    packed: bytes | None
    media_type: str
    version: str


class StaticFiles:
    """Everything under one folder; files of unknown kind and GraphiQL's are left out.

    `app.css` is made of `css/`, in the order of STYLE_SHEETS, without comments and indentation;
    sheets beside it are those of a few pages alone.
    What a file names by `/static/…` in HTML or `./…` in an import gets its hash too, so that nobody
    ever runs modules of two versions, and the offline page asks for the very files that the service
    worker has kept. The service worker ends with the hash of all the others: a browser that sees
    another one renews it.
    """

    def __init__(self, folder: Path) -> None:
        bodies = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in TYPES and "graphiql" not in path.parts
        }
        own = [name for name in bodies if name.endswith(".css") and "/" not in name]
        bodies |= {name: _FOR_WRITERS.sub(b"", bodies[name]) for name in own}
        sheets = [bodies.pop(f"css/{name}.css") for name in STYLE_SHEETS]
        bodies["app.css"] = _FOR_WRITERS.sub(b"", b"\n".join(sheets))
        self._files: dict[str, StaticFile] = {}
        for name in bodies:
            self._take(name, bodies)
        if worker := bodies.get("sw.js"):
            every = "".join(file.version for name, file in self._files.items() if name != "sw.js")
            mark = hashlib.sha256(every.encode()).hexdigest()[:12]
            self._files["sw.js"] = _make("sw.js", worker + f"\n// {mark}\n".encode())

    def url(self, name: str) -> str:
        """The address of a file, with its hash.

        Raises:
            KeyError: there is no such file; a template names one that was never made.
        """
        return f"/static/{name}?v={self._files[name].version}"

    def names(self) -> list[str]:
        """Every file, by its path under the folder."""
        return list(self._files)

    async def serve(self, request: Request) -> Response:
        """Answers `/static/{path}`.

        Raises:
            HTTPException: 404, there is no such file.
        """
        file = self._find(request.path_params["path"])
        known = request.query_params.get("v") == file.version
        return _answer(request, file, IMMUTABLE if known else CHECKED)

    async def serve_worker(self, request: Request) -> Response:
        """Answers `/sw.js`: from the root, so that the service worker's scope is the whole site."""
        return _answer(request, self._find("sw.js"), CHECKED)

    def _take(self, name: str, bodies: Mapping[str, bytes]) -> StaticFile:
        """Makes one file, after those that it names."""
        if name not in self._files:
            folder = PurePosixPath(name).parent

            def stamp(match: re.Match[bytes]) -> bytes:
                asked = match["name"].decode()
                named = asked if match["root"] == b"/static/" else (folder / asked).as_posix()
                return match[0] + b"?v=" + self._take(named, bodies).version.encode()

            pattern = _NAMED.get(PurePosixPath(name).suffix)
            body = pattern.sub(stamp, bodies[name]) if pattern else bodies[name]
            self._files[name] = _make(name, body)
        return self._files[name]

    def _find(self, name: str) -> StaticFile:
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        return file


def _make(name: str, body: bytes) -> StaticFile:
    suffix = PurePosixPath(name).suffix
    packed = gzip.compress(body, 9, mtime=0) if suffix in _PACKED else None
    return StaticFile(
        body=body,
        packed=packed if packed is not None and len(packed) < len(body) else None,
        media_type=TYPES[suffix],
        version=hashlib.sha256(body).hexdigest()[:12],
    )


def _answer(request: Request, file: StaticFile, caching: str) -> Response:
    headers = {
        "Cache-Control": caching,
        "ETag": f'W/"{file.version}"',
        "Vary": "Accept-Encoding",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = file.packed
    return Response(body, media_type=file.media_type, headers=headers)
