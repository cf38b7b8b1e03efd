"""Sealing: what must be stored and read again, encrypted with the secret of the installation.

AES-256-GCM with a random nonce before the text; the key of each purpose comes of the secret by
HKDF-SHA256 (RFC 5869), and the purpose is bound to the text: what was sealed for one purpose does
not open for another.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import ConfigError

NONCE: Final = 12  # bytes


class Vault:
    """Seals and opens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, text: bytes, purpose: str) -> bytes:
        """The text, readable by this installation alone."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher(purpose).encrypt(nonce, text, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed for that purpose.

        Raises:
            ConfigError: it was sealed with another secret, for another purpose, or changed.
        """
        try:
            return self._cipher(purpose).decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise ConfigError(
                "What is stored was sealed with another secret: SISE_SECRET has changed."
            ) from error

    def derive_key(self, purpose: str) -> str:
        """A key of 64 hex digits for a library that signs by itself."""
        return self._derive(f"sign {purpose}").hex()

    @property
    def mark(self) -> str:
        """Eight digits that are the same for the same secret, and tell nothing of it."""
        return self._derive("mark")[:4].hex()

    def _cipher(self, purpose: str) -> AESGCM:
        return AESGCM(self._derive(f"seal {purpose}"))

    def _derive(self, info: str) -> bytes:
        derive = HKDF(algorithm=SHA256(), length=32, salt=b"sise", info=info.encode())
        return derive.derive(self._secret)
