"""A browser that takes pushes: it subscribes, and reads what was encrypted for it (RFC 8291)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def text_of(data: bytes) -> str:
    """Base64 for URLs without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """What was written so."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256: both halves of HKDF, step by step as the standard has them."""
    made = HMAC(key, SHA256())
    made.update(data)
    return made.finalize()


@dataclass
class PushBrowser:
    """Its keys are made anew unless they are given."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"0123456789abcdef"

    @property
    def public(self) -> bytes:
        """Its public key as a point."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscribe(self, endpoint: str) -> str:
        """What `PushSubscription.toJSON` says."""
        keys = {"p256dh": text_of(self.public), "auth": text_of(self.auth)}
        return orjson.dumps({"endpoint": endpoint, "keys": keys}).decode()

    def read(self, body: bytes) -> bytes:
        """The text of a push."""
        salt, length = body[:16], body[20]
        sender, cipher = body[21 : 21 + length], body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        first = mac(self.auth, self.key.exchange(ec.ECDH(), point))
        secret = mac(first, b"WebPush: info\0" + self.public + sender + b"\x01")
        second = mac(salt, secret)
        key = mac(second, b"Content-Encoding: aes128gcm\0\x01")[:16]
        nonce = mac(second, b"Content-Encoding: nonce\0\x01")[:12]
        plain = AESGCM(key).decrypt(nonce, cipher, None)
        return plain[: plain.rindex(b"\x02")]
