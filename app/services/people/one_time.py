"""Secrets that work once: made at random, stored as their SHA-256, sent in a link."""

from __future__ import annotations

import hashlib
import secrets


def make_secret() -> str:
    """43 characters of 256 random bits, fit for a link."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """What is stored of it; anything can be hashed."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()
