"""Web push: a text for one browser, encrypted (RFC 8291) and signed by us (RFC 8292).

The key of the installation is made from its secret: it is the same after every start, and stands
in no table.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters.vault import Vault

LIFETIME: Final = timedelta(hours=12)
KEEP: Final = 24 * 3600
"""Seconds for which a push service keeps what a browser cannot take yet."""

RECORD: Final = 4096
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Pusher:
    """Makes what a push service is sent. `contact` is where its operator may ask who sends."""

    def __init__(self, vault: Vault, contact: str) -> None:
        number = int(vault.derive_key("web push"), 16) % (_ORDER - 1) + 1
        self._key = ec.derive_private_key(number, ec.SECP256R1())
        self._contact = contact

    @property
    def public(self) -> str:
        """The key that a browser subscribes with."""
        return encode(point_of(self._key.public_key()))

    def headers(self, endpoint: str, now: datetime) -> dict[str, str]:
        """The head of a push to that endpoint."""
        parts = urlsplit(endpoint)
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + LIFETIME).timestamp()),
            "sub": self._contact,
        }
        token = jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(pem), algorithms=["ES256"])
        return {
            "Authorization": f"vapid t={token}, k={self.public}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEEP),
            "Urgency": "high",
        }


def encrypt(
    text: bytes,
    key: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    sender: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push that only the browser of that key and secret can read (RFC 8291).

    `salt` and `sender` are made anew each time; tests give those of the example.

    Raises:
        ValueError: the key is no point of the curve.
    """
    salt = secrets.token_bytes(16) if salt is None else salt
    sender = ec.generate_private_key(ec.SECP256R1()) if sender is None else sender
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    own = point_of(sender.public_key())
    shared = sender.exchange(ec.ECDH(), receiver)
    secret = _derive(shared, auth, b"WebPush: info\0" + key + own, 32)
    cipher = AESGCM(_derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16))
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(own)]) + own
    return head + cipher.encrypt(nonce, text + b"\x02", None)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as the 65 bytes of an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(data: bytes) -> str:
    """Base64 for URLs without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
