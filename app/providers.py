"""Sites that vouch for people: read from `SISE_OIDC_<KEY>_*` and `SISE_GITHUB_*`.

Any provider of OpenID Connect with discovery, and GitHub, whose OAuth has neither discovery nor
signed tokens. The key stands in the addresses of the sign-in: `/auth/<key>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from app.errors import ConfigError

PREFIX: Final = "SISE_OIDC_"
GITHUB: Final = "github"
GITHUB_URL: Final = "https://github.com"
ISSUERS: Final = {"google": "https://accounts.google.com"}
"""Providers whose issuer need not be set."""

_PART: Final = re.compile(r"([A-Z][A-Z0-9]{0,19})_(ISSUER|CLIENT_ID|CLIENT_SECRET|TITLE)")


@dataclass(frozen=True)
class Provider:
    """One such site. `issuer` is what it calls itself; of GitHub the address of its pages."""

    key: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def github(self) -> bool:
        """Whether it is GitHub, or one of a company's own."""
        return self.key == GITHUB


def read_providers(env: Mapping[str, str]) -> tuple[Provider, ...]:
    """The providers that are set, by their titles.

    Raises:
        ConfigError: a part is missing, unknown, or no address over TLS.
    """
    found = [_make(key.lower(), parts) for key, parts in _gather(env).items()]
    github = _github(env)
    return tuple(sorted([*found, *github], key=lambda provider: provider.title.casefold()))


def check_web_address(name: str, text: str) -> str:
    """The address without a slash at its end: over TLS, or without it at this machine.

    Raises:
        ConfigError: it is none.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        msg = "%(name)s is no address: %(error)s"
        raise ConfigError(msg, name=name, error=str(error)) from None
    plain = parts.scheme == "http" and is_loopback(host)
    if not host or parts.query or parts.fragment or not (parts.scheme == "https" or plain):
        msg = "%(name)s is %(value).80r; it must be an address as https://example.com"
        raise ConfigError(msg, name=name, value=text)
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _gather(env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What is set, by key: `{"GOOGLE": {"CLIENT_ID": …}}`."""
    found: dict[str, dict[str, str]] = {}
    for name, value in env.items():
        if not name.startswith(PREFIX) or not value.strip():
            continue
        part = _PART.fullmatch(name.removeprefix(PREFIX))
        if part is None or part[1].lower() == GITHUB:
            msg = (
                "%(name)s is no setting; SISE_OIDC_<KEY>_ISSUER, _CLIENT_ID, _CLIENT_SECRET and "
                "_TITLE are, with a key as GOOGLE or KEYCLOAK; GitHub has SISE_GITHUB_CLIENT_ID"
            )
            raise ConfigError(msg, name=name)
        found.setdefault(part[1], {})[part[2]] = value.strip()
    return found


def _make(key: str, parts: Mapping[str, str]) -> Provider:
    name = f"{PREFIX}{key.upper()}"
    issuer = parts.get("ISSUER") or ISSUERS.get(key, "")
    for part, value in (("ISSUER", issuer), *((p, parts.get(p)) for p in _PAIR)):
        if not value:
            raise ConfigError("%(name)s is not set", name=f"{name}_{part}")
    check_web_address(f"{name}_ISSUER", issuer)
    title = parts.get("TITLE") or key.capitalize()
    return Provider(key, title, issuer, parts["CLIENT_ID"], parts["CLIENT_SECRET"])


def _github(env: Mapping[str, str]) -> list[Provider]:
    names = ("SISE_GITHUB_CLIENT_ID", "SISE_GITHUB_CLIENT_SECRET")
    pair = [env.get(name, "").strip() for name in names]
    if not any(pair):
        return []
    for name, value in zip(names, pair, strict=True):
        if not value:
            raise ConfigError("%(name)s is not set", name=name)
    address = env.get("SISE_GITHUB_URL", "").strip() or GITHUB_URL
    url = check_web_address("SISE_GITHUB_URL", address)
    return [Provider(GITHUB, "GitHub", url, *pair)]


_PAIR: Final = ("CLIENT_ID", "CLIENT_SECRET")
