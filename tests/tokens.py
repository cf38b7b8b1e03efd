"""The 28 tokens of the token test: four in force, 24 that must be refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime

from joserfc.jwk import OKPKey

KEY = OKPKey.generate_key("Ed25519", {"kid": "new"})
OLD = OKPKey.generate_key("Ed25519", {"kid": "old"})
STRANGE = OKPKey.generate_key("Ed25519", {"kid": "new"})
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "new"}


def b64(data: object) -> str:
    """A part of a token: bytes as they are, anything else as JSON."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Forge:
    """Makes tokens of one person and sign-in, valid for five minutes from an instant on."""

    def __init__(self, now: datetime, user_id: int = 7, family_id: int = 9) -> None:
        self.begin = int(now.timestamp())
        self.claims = {
            "iss": "sise",
            "aud": "sise-api",
            "sub": str(user_id),
            "sid": str(family_id),
            "iat": self.begin,
            "exp": self.begin + 300,
            "jti": "x",
        }

    def signed(self, claims: object = None, key: OKPKey = KEY, **header: object) -> str:
        """A token of any header, signed by hand: a library would refuse to make most of them."""
        head = {k: v for k, v in (HEADER | header).items() if v is not None}
        body = f"{b64(head)}.{b64(self.claims if claims is None else claims)}"
        return f"{body}.{b64(key.private_key.sign(body.encode()))}"

    def claiming(self, **changes: object) -> str:
        """A good token but for these claims; None leaves one out."""
        return self.signed({k: v for k, v in (self.claims | changes).items() if v is not None})

    def hs256(self) -> str:
        """Signed with the public key as if that were a shared secret."""
        body = f"{b64(HEADER | {'alg': 'HS256'})}.{b64(self.claims)}"
        return (
            f"{body}.{b64(hmac.digest(KEY.as_pem(private=False), body.encode(), hashlib.sha256))}"
        )

    def unsigned(self, alg: str) -> str:
        """Without a signature, and saying so."""
        return f"{b64(HEADER | {'alg': alg})}.{b64(self.claims)}."

    def taken(self) -> dict[str, str]:
        """Those in force, by what is special about them."""
        begin = self.begin
        return {
            "good": self.signed(),
            "previous key": self.signed(key=OLD, kid="old"),
            "3 s past exp": self.claiming(iat=begin - 303, exp=begin - 3),
            "aud list that holds ours": self.claiming(aud=["other", "sise-api"]),
        }

    def refused(self) -> dict[str, str]:
        """Those that must not be taken, by what is wrong with them."""
        begin, good, other = self.begin, self.signed(), {**self.claims, "sub": "8"}
        return {
            "alg none": self.unsigned("none"),
            "alg nOnE": self.unsigned("nOnE"),
            "HS256 with the public key": self.hs256(),
            "same kid, other key": self.signed(key=STRANGE),
            "jwk header": self.signed(key=STRANGE, jwk=STRANGE.as_dict(private=False)),
            "jku header": self.signed(key=STRANGE, jku="https://evil.example/keys"),
            "kid as a path": self.signed(kid="../../dev/null"),
            "no kid": self.signed(kid=None),
            "unknown crit": self.signed(crit=["x"], x=1),
            "expired": self.claiming(iat=begin - 306, exp=begin - 6),
            "future nbf": self.claiming(nbf=begin + 60),
            "future iat": self.claiming(iat=begin + 60),
            "wrong aud": self.claiming(aud="other"),
            "wrong iss": self.claiming(iss="other"),
            "no exp": self.claiming(exp=None),
            "no jti": self.claiming(jti=None),
            "typ JWT": self.signed(typ="JWT"),
            "changed bit": good.replace(b64(self.claims), b64(other)),
            "cut signature": good[:-8],
            "empty": "",
            "10 MB": good + "A" * 10_000_000,
            "payload that is no JSON": self.signed(b"\xff\xfe"),
            "exp as a text": self.claiming(exp=str(begin + 300)),
            "exp of the next century": self.claiming(exp=1e30),
        }
