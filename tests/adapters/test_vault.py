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
    ("vault", "purpose", "spoil"),
    [
        pytest.param(Vault(b"2" * 32), "a", lambda sealed: sealed, id="secret"),
        pytest.param(VAULT, "b", lambda sealed: sealed, id="purpose"),
        pytest.param(VAULT, "a", lambda s: s[:-1] + bytes([s[-1] ^ 1]), id="bit"),
        pytest.param(VAULT, "a", lambda _: b"", id="empty"),
    ],
)
def test_another_secret_purpose_or_text_does_not_open(vault, purpose, spoil):
    with pytest.raises(ConfigError, match="SISE_SECRET"):
        vault.open(spoil(VAULT.seal(b"text", "a")), purpose)
