"""One-time codes of an authenticator: TOTP (RFC 6238) with HMAC-SHA-1, 30 seconds, six digits.

The counter is HOTP's (RFC 4226). A code of the step before or after is taken too: clocks differ.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlencode

STEP: Final = 30  # seconds
DIGITS: Final = 6
SECRET_BYTES: Final = 20


def compute_code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one time step (UNIX seconds // 30)."""
    mac = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def find_step(secret: bytes, code: str, seconds: float, after: int | None) -> int | None:
    """The time step whose code it is, None when there is none near that instant.

    Steps up to `after` were used: their codes are worth nothing any more.
    """
    now = int(seconds) // STEP
    for step in (now, now - 1, now + 1):
        fresh = after is None or step > after
        if fresh and hmac.compare_digest(compute_code(secret, step).encode(), code.encode()):
            return step
    return None


def enrolment_uri(secret: bytes, username: str) -> str:
    """The `otpauth://` address that an authenticator reads from a picture."""
    query = urlencode({"secret": show_secret(secret), "issuer": "Sise"})
    return f"otpauth://totp/Sise:{quote(username)}?{query}"


def show_secret(secret: bytes) -> str:
    """The secret as it is typed: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")
