"""Answers of a provider that must not lead in, and failures of one that must be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse

from tests.fakes.oidc import STRANGE, FakeProviders, by_public_key, sign, unsigned, with_secret


def bent(**changes: Any) -> Callable[[FakeProviders], None]:
    """A token with these claims; None leaves one out."""

    def change(claims: dict[str, Any]) -> str:
        return sign({k: v for k, v in (claims | changes).items() if v is not None})

    return lambda fake: setattr(fake, "bend", change)


def made(make: Callable[[dict[str, Any]], str | None]) -> Callable[[FakeProviders], None]:
    return lambda fake: setattr(fake, "bend", make)


def offering(make: Callable[[dict[str, Any]], str]) -> Callable[[FakeProviders], None]:
    """A token by an algorithm that the metadata offer, too."""

    def prepare(fake: FakeProviders) -> None:
        offered = ["RS256", "HS256", "none"]
        fake.bend, fake.metadata["id_token_signing_alg_values_supported"] = make, offered

    return prepare


def answering(**changes: str | None) -> Callable[[FakeProviders], None]:
    return lambda fake: fake.answer.update(changes)


def promising(fake: FakeProviders) -> None:
    fake.metadata["authorization_response_iss_parameter_supported"] = True


def mixed_up(fake: FakeProviders) -> None:
    fake.answer["iss"] = f"{fake.url}/b"


BAD = {
    "mix-up: the answer is of another issuer": mixed_up,
    "iss is promised and missing": promising,
    "aud of another": bent(aud="another"),
    "aud of another, azp ours": bent(aud="another", azp="sise"),
    "aud of another in a list, azp ours": bent(aud=["another"], azp="sise"),
    "aud of several, azp of another": bent(aud=["sise", "another"], azp="another"),
    "no aud": bent(aud=None),
    "iss of another": bent(iss="https://evil.example"),
    "no iss": bent(iss=None),
    "no nonce": bent(nonce=None),
    "nonce of another": bent(nonce="another"),
    "nonce_supported false, no nonce": bent(nonce=None, nonce_supported=False),
    "expired": bent(exp=1_000_000_000),
    "no exp": bent(exp=None),
    "exp as a text": bent(exp="tomorrow"),
    "no sub": bent(sub=None),
    "sub empty": bent(sub=""),
    "sub a number": bent(sub=17),
    "sub with NUL": bent(sub="1\0"),
    "sub of 10,000": bent(sub="1" * 10_000),
    "signed by another key": made(lambda c: sign(c, STRANGE)),
    "embedded jwk": made(lambda c: sign(c, STRANGE, jwk=STRANGE.as_dict(private=False))),
    "jku of another": made(lambda c: sign(c, STRANGE, jku="https://evil.example/keys")),
    "unknown crit": made(lambda c: sign(c, crit=["x"], x=1)),
    "alg none": made(unsigned),
    "alg none, offered": offering(unsigned),
    "HS256 with the public key": made(by_public_key),
    "HS256 with the public key, offered": offering(by_public_key),
    "HS256 with the secret, offered": offering(with_secret),
    "no token": made(lambda _: None),
    "a token that is none": made(lambda _: "x.y.z"),
    "state of another": answering(state="another"),
    "no state": answering(state=None),
    "no code": answering(code=None),
    "code of another": answering(code="another"),
    "the reader refuses": answering(code=None, error="access_denied"),
    "a hostile description": answering(error="x", error_description="<script>alert(1)</script>"),
}


@dataclass(frozen=True)
class Fault:
    path: str
    response: Any
    key: str = "home"


FAULTS = {
    "no metadata": Fault("openid-configuration", PlainTextResponse("gone", 404)),
    "metadata that are no JSON": Fault("openid-configuration", PlainTextResponse("<html>")),
    "metadata that are a list": Fault("openid-configuration", JSONResponse([1])),
    "metadata that are empty": Fault("openid-configuration", JSONResponse({})),
    "metadata of another": Fault("openid-configuration", JSONResponse({"issuer": "https://evil"})),
    "issuer a number": Fault("openid-configuration", JSONResponse({"issuer": 7})),
    "token 500": Fault("token", PlainTextResponse("broken", 500)),
    "token that is no JSON": Fault("token", PlainTextResponse("broken")),
    "token a list": Fault("token", JSONResponse([1])),
    "token a number": Fault("token", JSONResponse(7)),
    "no keys": Fault("keys", PlainTextResponse("broken", 500)),
    "keys a list": Fault("keys", JSONResponse([1])),
    "keys of nothing": Fault("keys", JSONResponse({"keys": [{"kty": "x"}]})),
    "profile 500": Fault("user", PlainTextResponse("broken", 500), "github"),
    "profile a list": Fault("user", JSONResponse([1]), "github"),
    "profile without a number": Fault("user", JSONResponse({"login": "x", "id": "x"}), "github"),
    "addresses a text": Fault("emails", JSONResponse("x"), "github"),
    "addresses of nothing": Fault("emails", JSONResponse([{}]), "github"),
}
