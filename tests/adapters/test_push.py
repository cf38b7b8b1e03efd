"""Web push: the example of RFC 8291, what a browser reads, and who says that it sent it."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters.push import Pusher, encrypt
from app.adapters.vault import Vault
from tests.fakes.browser_push import PushBrowser, bytes_of, text_of

CURVE = ec.SECP256R1()
# RFC 8291, appendix A
PLAIN = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
NOW = datetime(2026, 3, 4, tzinfo=UTC)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(bytes_of(text)), CURVE)


def test_the_example_of_the_standard_comes_out_byte_for_byte():
    browser = PushBrowser(private(RECEIVER), bytes_of(AUTH))
    made = encrypt(PLAIN, browser.public, browser.auth, salt=bytes_of(SALT), sender=private(SENDER))
    assert text_of(made) == BODY
    assert browser.read(made) == PLAIN


def test_each_push_is_encrypted_anew():
    browser = PushBrowser()
    first, second = (encrypt(b"hello", browser.public, browser.auth) for _ in range(2))
    assert first != second
    assert browser.read(first) == browser.read(second) == b"hello"


def test_a_push_is_signed_for_its_service_by_the_key_that_browsers_know():
    pusher = Pusher(Vault(b"s" * 32), "https://sise.example.com")
    head = pusher.headers("https://push.example:8443/send/abc", NOW)
    token, key = head["Authorization"].removeprefix("vapid t=").split(", k=")
    assert key == pusher.public
    point = bytes_of(key)
    jwk = {"kty": "EC", "crv": "P-256", "x": text_of(point[1:33]), "y": text_of(point[33:])}
    claims = jwt.decode(token, ECKey.import_key(jwk), algorithms=["ES256"]).claims
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "https://sise.example.com"
    assert 0 < claims["exp"] - NOW.timestamp() <= 24 * 3600
    assert (head["TTL"], head["Content-Encoding"]) == ("86400", "aes128gcm")


def test_the_key_is_the_same_after_a_start_and_another_with_another_secret():
    keys = [Pusher(Vault(secret), "x").public for secret in (b"s" * 32, b"s" * 32, b"t" * 32)]
    assert keys[0] == keys[1] != keys[2]
