"""Sealed: readable by this installation, for that purpose, unchanged; by nobody else."""

from __future__ import annotations

import pytest

from app.adapters.vault import Vault
from app.errors import ConfigError

VAULT = Vault(b"1" * 32)


def test_what_was_sealed_opens_again_and_never_looks_the_same():
    first, second = VAULT.seal(b"text", "a"), VAULT.seal(b"text", "a")
    assert first != second
    assert b"text" not in first
    assert VAULT.open(first, "a") == VAULT.open(second, "a") == b"text"


def test_a_secret_has_its_mark():
    assert VAULT.mark == Vault(b"1" * 32).mark != Vault(b"2" * 32).mark
    assert len(VAULT.mark) == 8


@pytest.mark.parametrize(
    ("vault", "purpose", "sealed"),
    [
        (Vault(b"2" * 32), "a", VAULT.seal(b"text", "a")),
        (VAULT, "b", VAULT.seal(b"text", "a")),
        (VAULT, "a", VAULT.seal(b"text", "a")[:-1] + b"\0"),
        (VAULT, "a", b""),
    ],
)
def test_another_secret_purpose_or_text_does_not_open(vault, purpose, sealed):
    with pytest.raises(ConfigError, match="SISE_SECRET"):
        vault.open(sealed, purpose)
