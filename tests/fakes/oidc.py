"""Local providers of sign-in: two of OpenID Connect (`/a`, `/b`) and one like GitHub (`/github`).

They keep to the protocols (state, nonce, PKCE, codes that work once, the client's secret), and each
test bends what it wants to see refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.clock import Clock
from app.providers import Provider
from tests.fakes.running import run_app
from tests.tokens import b64

CLIENT, SECRET = "sise", "geheim/+%"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
STRANGE = RSAKey.generate_key(2048, {"kid": "one"})

Token = str | None
Bend = Callable[[dict[str, Any]], Token]


def sign(claims: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    """A token signed with RS256, whatever its header says."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "one"} | header
    body = f"{b64(head)}.{b64(claims)}".encode()
    signature = key.private_key.sign(body, PKCS1v15(), SHA256())
    return f"{body.decode()}.{b64(signature)}"


def unsigned(claims: dict[str, Any]) -> str:
    """A token that says it needs no signature."""
    return f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(claims)}."


def by_public_key(claims: dict[str, Any]) -> str:
    """Signed with the public key as if that were a shared secret."""
    body = f"{b64({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one'})}.{b64(claims)}".encode()
    signature = hmac.digest(KEY.as_pem(private=False), body, hashlib.sha256)
    return f"{body.decode()}.{b64(signature)}"


def with_secret(claims: dict[str, Any]) -> str:
    """Signed with the client's secret: symmetric, and offered by some providers."""
    body = f"{b64({'alg': 'HS256', 'typ': 'JWT'})}.{b64(claims)}".encode()
    return f"{body.decode()}.{b64(hmac.digest(SECRET.encode(), body, hashlib.sha256))}"


@dataclass
class FakeProviders:
    """`person` is who sits there; `bend` makes the token of the claims; `faults` by path."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    emails: list[dict[str, Any]] = field(default_factory=list)
    bend: Bend = sign
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str | None] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    faults: dict[str, Response] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def reset(self) -> None:
        """As they began: Alice, whose address is verified."""
        self.person = {"sub": "17", "email": "alice@example.com", "email_verified": True}
        self.person |= {"preferred_username": "alice", "id": 17, "login": "alice"}
        self.emails = [{"email": "alice@example.com", "primary": True, "verified": True}]
        self.bend, self.userinfo = sign, None
        for kept in (self.metadata, self.answer, self.faults, self.codes):
            kept.clear()
        self.asked.clear()

    def providers(self) -> tuple[Provider, ...]:
        """The settings that lead here."""
        paths = {"home": "a", "other": "b", "github": "github"}
        return tuple(
            Provider(key, key.capitalize(), f"{self.url}/{path}", CLIENT, SECRET)
            for key, path in paths.items()
        )

    def app(self) -> Starlette:
        """The routes of all of them."""
        authorize, token = "/{name}/authorize", "/{name}/token"
        return Starlette(
            routes=[
                Route("/{name}/.well-known/openid-configuration", self._fault(self._discover)),
                Route("/{name}/keys", self._fault(self._keys)),
                Route(authorize, self._authorize),
                Route("/{name}/login/oauth/authorize", self._authorize),
                Route(token, self._fault(self._token), methods=["POST"]),
                Route(
                    "/{name}/login/oauth/access_token", self._fault(self._token), methods=["POST"]
                ),
                Route("/{name}/userinfo", self._fault(self._userinfo)),
                Route("/{name}/api/v3/user", self._fault(self._userinfo)),
                Route("/{name}/api/v3/user/emails", self._fault(self._emails)),
            ]
        )

    def _fault(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            last = request.url.path.rpartition("/")[2]
            fault = self.faults.get(last)
            return fault if fault is not None else await handler(request)

        return handle

    def _issuer(self, request: Request) -> str:
        return f"{self.url}/{request.path_params['name']}"

    async def _discover(self, request: Request) -> Response:
        issuer = self._issuer(request)
        found = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "client_id": "of the metadata",  # nothing that they say takes the place of ours
        }
        return JSONResponse(found | self.metadata)

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code{len(self.asked)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"]} | self.answer
        query = urlencode({name: value for name, value in back.items() if value is not None})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def _token(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        known = base64.b64decode(pair) == f"{CLIENT}:{SECRET}".encode() and scheme == "Basic"
        right = asked is not None and form["redirect_uri"] == asked["redirect_uri"]
        if not (known and right and asked and b64(digest) == asked["code_challenge"]):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer: dict[str, Any] = {"access_token": "access", "token_type": "Bearer"}
        if "github" not in request.url.path:
            now = int(Clock().now().timestamp())
            claims = self.person | {
                "iss": self._issuer(request),
                "aud": CLIENT,
                "exp": now + 300,
                "iat": now,
                "nonce": asked["nonce"],
            }
            bent = self.bend(claims)
            answer |= {} if bent is None else {"id_token": bent}
        return JSONResponse(answer)

    async def _userinfo(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access":
            return PlainTextResponse("who?", 401)
        return JSONResponse(self.person if self.userinfo is None else self.userinfo)

    async def _emails(self, _: Request) -> Response:
        return JSONResponse(self.emails)


@contextmanager
def run_providers() -> Iterator[FakeProviders]:
    """Serves them on the loopback until the block ends."""
    fake = FakeProviders()
    fake.reset()
    with run_app(fake.app()) as url:
        fake.url = url
        yield fake
