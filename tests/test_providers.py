"""Providers from settings: several at once, each whole or named with what it lacks."""

from __future__ import annotations

import pytest

from app.errors import ConfigError
from app.providers import read_providers

KEYCLOAK = {
    "SISE_OIDC_KEYCLOAK_ISSUER": "https://login.example.com/realms/home",
    "SISE_OIDC_KEYCLOAK_CLIENT_ID": "sise",
    "SISE_OIDC_KEYCLOAK_CLIENT_SECRET": "geheim",
}
GOOGLE = {"SISE_OIDC_GOOGLE_CLIENT_ID": "id", "SISE_OIDC_GOOGLE_CLIENT_SECRET": "geheim"}
GITHUB = {"SISE_GITHUB_CLIENT_ID": "id", "SISE_GITHUB_CLIENT_SECRET": "geheim"}


def test_there_are_none_unless_set() -> None:
    assert read_providers({"SISE_OIDC_GOOGLE_CLIENT_ID": " "}) == ()


def test_several_are_read_and_sorted_by_title() -> None:
    found = read_providers(KEYCLOAK | GOOGLE | GITHUB | {"SISE_OIDC_KEYCLOAK_TITLE": "Family"})
    assert [(p.key, p.title, p.issuer, p.github) for p in found] == [
        ("keycloak", "Family", "https://login.example.com/realms/home", False),
        ("github", "GitHub", "https://github.com", True),
        ("google", "Google", "https://accounts.google.com", False),
    ]
    assert "geheim" not in repr(found)


def test_an_issuer_stays_as_it_is_written() -> None:
    issuer = "https://tenant.example.com/"
    assert read_providers(KEYCLOAK | {"SISE_OIDC_KEYCLOAK_ISSUER": issuer})[0].issuer == issuer


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"SISE_OIDC_KEYCLOAK_ISSUER": ""}, "SISE_OIDC_KEYCLOAK_ISSUER is not set"),
        ({"SISE_OIDC_KEYCLOAK_CLIENT_ID": ""}, "SISE_OIDC_KEYCLOAK_CLIENT_ID is not set"),
        ({"SISE_OIDC_KEYCLOAK_CLIENT_SECRET": ""}, "SISE_OIDC_KEYCLOAK_CLIENT_SECRET is not set"),
        ({"SISE_OIDC_KEYCLOAK_ISSUER": "http://login.example.com"}, "https://"),
        ({"SISE_OIDC_KEYCLOAK_ISSUER": "https://login.example.com?a"}, "https://"),
        ({"SISE_OIDC_KEYCLOAK_ISSUER": "https://[::1"}, "no address"),
        ({"SISE_OIDC_KEYCLOAK_ISSUER": "login.example.com"}, "https://"),
        ({"SISE_OIDC_KEYCLOAK_KEY": "x"}, "SISE_OIDC_KEYCLOAK_KEY is no setting"),
        ({"SISE_OIDC_ISSUER": "x"}, "SISE_OIDC_ISSUER is no setting"),
        ({"SISE_OIDC_GITHUB_CLIENT_ID": "x"}, "GitHub has SISE_GITHUB_CLIENT_ID"),
        ({"SISE_GITHUB_CLIENT_ID": "x"}, "SISE_GITHUB_CLIENT_SECRET is not set"),
        (GITHUB | {"SISE_GITHUB_URL": "http://git.example.com"}, "SISE_GITHUB_URL"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_providers(KEYCLOAK | changes)
    assert hint in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_without_tls_only_at_this_machine() -> None:
    for host in ("127.0.0.1:9", "localhost:9", "[::1]:9"):
        changes = {"SISE_OIDC_KEYCLOAK_ISSUER": f"http://{host}/x"}
        assert read_providers(KEYCLOAK | changes)[0].issuer == f"http://{host}/x"
