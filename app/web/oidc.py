"""What a provider says of somebody, by OpenID Connect or GitHub's OAuth: checked here, by authlib.

Beside what authlib checks: the metadata are of the issuer that is set, signatures are asymmetric
whatever the metadata offer, `iss` and `aud` of the token equal ours (an `azp` does not make up for
a foreign `aud`), and the `iss` of the answer is the provider's (RFC 9207). Nothing is cached but
the metadata, and what lies between the two requests is in the browser's signed cookie.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, OAuthError, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Unauthenticated, Unavailable
from app.providers import GITHUB_URL, Provider
from app.services.people.external_sign_in import Vouched

LOG: Final = logging.getLogger(__name__)
PATIENCE: Final = 10.0  # seconds for each question to a provider
LEEWAY: Final = 30  # seconds that its clock may differ
LONGEST_SUB: Final = 255
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
    | {"Ed25519"}
)
_METADATA: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "id_token_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "authorization_response_iss_parameter_supported",
)
_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError, RuntimeError)
"""What authlib raises when an answer has not the shape that it should have."""


class _Client(StarletteOAuth2App):  # type: ignore[misc]
    """authlib's client, which takes of the metadata what is known, and only of its own issuer."""

    provider: Provider
    server_metadata: dict[str, Any]

    async def load_server_metadata(self) -> Mapping[str, Any]:
        """The metadata, asked for once; none of GitHub."""
        if self._server_metadata_url and not self.server_metadata:
            async with self._get_session() as client:
                url = self._server_metadata_url
                answer = await client.request("GET", url, withhold_token=True)
            answer.raise_for_status()
            self.server_metadata = _check_metadata(answer.json(), self.provider)
        found: Mapping[str, Any] = self.server_metadata
        return found


class Vouching:
    """The providers of the settings, ready to be asked."""

    def __init__(self, providers: tuple[Provider, ...]) -> None:
        oauth = OAuth()
        self._clients = {provider.key: _register(oauth, provider) for provider in providers}

    async def send_off(self, request: Request, provider: Provider, back: str) -> Response:
        """Sends the browser to the provider, which sends it to `back`.

        Raises:
            Unavailable: the provider does not answer, or not as it should.
        """
        client = self._clients[provider.key]
        with _failures(client):
            response: Response = await client.authorize_redirect(request, back)
            return response

    async def receive(self, request: Request, provider: Provider) -> Vouched:
        """Who has come back.

        Raises:
            Unauthenticated: it cannot be believed, or the reader has refused.
            Unavailable: the provider does not answer, or not as it should.
        """
        client = self._clients[provider.key]
        with _failures(client):
            metadata = await client.load_server_metadata()
            _check_answer(request, provider, metadata)
            if provider.github:
                token = await client.authorize_access_token(request)
                return await _ask_github(client, provider, token)
            iss = metadata["issuer"]
            options = {"iss": iss, "aud": provider.client_id}
            token = await client.authorize_access_token(
                request,
                leeway=LEEWAY,
                claims_options={
                    name: {"essential": True, "value": value} for name, value in options.items()
                },
            )
            return await _read_claims(client, provider, iss, token)


def _register(oauth: OAuth, provider: Provider) -> _Client:
    facts: dict[str, Any] = {
        "client_cls": _Client,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
    }
    settings: dict[str, Any] = {
        "code_challenge_method": "S256",
        "timeout": PATIENCE,
        "verify": _read_authorities(),
    }
    if provider.github:
        public = provider.issuer == GITHUB_URL
        facts |= {
            "authorize_url": f"{provider.issuer}/login/oauth/authorize",
            "access_token_url": f"{provider.issuer}/login/oauth/access_token",
            "api_base_url": "https://api.github.com/" if public else f"{provider.issuer}/api/v3/",
        }
        settings["scope"] = "read:user user:email"
    else:
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        facts["server_metadata_url"] = address
        settings["scope"] = "openid email profile"
    client: _Client = oauth.register(provider.key, client_kwargs=settings, **facts)
    client.provider = provider
    return client


@cache
def _read_authorities() -> ssl.SSLContext:
    """Who vouches for a provider's certificate, read once: authlib opens a client per question.

    It takes some 30 ms of CPU, in which nobody else is answered.
    """
    return httpx2.create_ssl_context()


@contextmanager
def _failures(client: _Client) -> Iterator[None]:
    """What may go wrong becomes an error for the reader; the log has its kind, and no more.

    Metadata and keys are asked for anew after it: they may have been the cause.
    """
    title, facts = client.provider.title, {"provider": client.provider.key}
    try:
        yield
    except (AuthlibBaseError, JoseError) as error:
        client.server_metadata = {}
        LOG.info("sign-in refused", extra=facts | {"error": type(error).__name__})
        msg = "%(title)s has not shown who you are. Begin again."
        raise Unauthenticated(msg, title=title) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        LOG.warning("provider does not answer", extra=facts | {"error": type(error).__name__})
        raise Unavailable("%(title)s does not answer. Try again.", title=title) from error
    except _MALFORMED as error:
        client.server_metadata = {}
        LOG.warning("provider is not understood", extra=facts | {"error": type(error).__name__})
        msg = "The answer of %(title)s cannot be read. Try again."
        raise Unavailable(msg, title=title) from error


def _check_metadata(found: Any, provider: Provider) -> dict[str, Any]:
    """What is known of the metadata. The issuer is the one that is set, but for a last slash."""
    issuer = found["issuer"]
    if issuer.rstrip("/") != provider.issuer.rstrip("/"):
        msg = "the metadata are of another issuer"
        raise ValueError(msg)
    kept = {name: found[name] for name in _METADATA if name in found}
    offered = kept.get("id_token_signing_alg_values_supported") or ["RS256"]
    kept["id_token_signing_alg_values_supported"] = [a for a in offered if a in ALGORITHMS]
    return kept


def _check_answer(request: Request, provider: Provider, metadata: Mapping[str, Any]) -> None:
    """That the answer is of this provider, where it says whose it is (RFC 9207)."""
    iss = request.query_params.get("iss")
    if provider.github:
        right = iss in {None, provider.issuer, f"{provider.issuer}/login/oauth"}
    elif metadata.get("authorization_response_iss_parameter_supported"):
        right = iss == metadata["issuer"]
    else:
        right = iss in {None, metadata["issuer"]}
    if not right:
        raise OAuthError("mix_up", "the answer is of another issuer")


async def _read_claims(
    client: _Client, provider: Provider, iss: str, token: Mapping[str, Any]
) -> Vouched:
    claims = token.get("userinfo")
    if not claims:
        raise OAuthError("no_id_token", "there is no token of who it is")
    sub = claims["sub"]
    if not isinstance(sub, str) or not 0 < len(sub) <= LONGEST_SUB or "\0" in sub:
        raise OAuthError("bad_sub", "the name of the person is none")
    if "email" not in claims and "userinfo_endpoint" in client.server_metadata:
        more = await client.userinfo(token=token)
        if more.get("sub") != sub:
            raise OAuthError("bad_sub", "the particulars are of somebody else")
        claims = more
    names = (claims.get("preferred_username"), claims.get("nickname"), claims.get("name"))
    email, verified = claims.get("email"), claims.get("email_verified")
    return Vouched(
        title=provider.title,
        iss=iss,
        sub=sub,
        email=email if isinstance(email, str) else None,
        email_verified=verified is True or verified == "true",
        names=tuple(name for name in names if isinstance(name, str)),
    )


async def _ask_github(client: _Client, provider: Provider, token: Mapping[str, Any]) -> Vouched:
    profile = await _get(client, "user", token)
    number, login = profile["id"], profile["login"]
    if not isinstance(number, int) or not isinstance(login, str):
        msg = "the profile has no number"
        raise TypeError(msg)
    emails = await _get(client, "user/emails", token)
    primary = [each["email"] for each in emails if each["primary"] and each["verified"] is True]
    email = primary[0] if primary and isinstance(primary[0], str) else None
    return Vouched(
        title=provider.title,
        iss=provider.issuer,
        sub=str(number),
        email=email,
        email_verified=email is not None,
        names=(login,),
    )


async def _get(client: _Client, path: str, token: Mapping[str, Any]) -> Any:
    answer = await client.get(path, token=token)
    answer.raise_for_status()
    return answer.json()
