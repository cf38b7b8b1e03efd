"""What a username, an e-mail address and a password may be.

Usernames are compared as NFKC, case folded and NFC again (after UAX 15 and UTR 36): what looks like
the same name is the same name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from app.errors import BadInput

SHORTEST_NAME: Final = 2
LONGEST_NAME: Final = 32
LONGEST_PROPOSED: Final = 27  # characters; a number may follow
LONGEST_EMAIL: Final = 254
SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 256

_NAME: Final = re.compile(r"[^\W_](?:[\w.\-]*[^\W_])?")
_EMAIL: Final = re.compile(r"[^\s@\"<>,;:\\\[\]()]+@[^\s@.,;:\"<>()]+(?:\.[^\s@.,;:\"<>()]+)+")
_COMMON: Final = """
1234567890 0123456789 12345678910 qwertyuiop password12 password123 password1234
passw0rd123 iloveyou123 1q2w3e4r5t 1q2w3e4r5t6y qwerty12345 qwerty123456 qwer123456
asdfghjkl1 abcdefghij abc1234567 abcd123456 1234567891 administrator letmein123 welcome123
changeme123 sise123456 samsung123 korea12345 123456789a a123456789 qwertyuiop1 zxcvbnm123
"""


def check_username(name: str) -> tuple[str, str]:
    """The name as it is shown and as it is compared.

    Raises:
        BadInput: too short or long, or with characters that no name has.
    """
    shown = unicodedata.normalize("NFC", name.strip())
    if not SHORTEST_NAME <= len(shown) <= LONGEST_NAME:
        msg = "username has %(value)d characters; %(low)d to %(high)d are allowed"
        raise BadInput(
            msg, field="username", value=len(shown), low=SHORTEST_NAME, high=LONGEST_NAME
        )
    if not _NAME.fullmatch(shown):
        msg = "A username may hold letters, digits, and between them dots, dashes and underscores"
        raise BadInput(msg, field="username")
    return shown, name_key(shown)


def name_key(name: str) -> str:
    """A username as it is compared; what no text in the database can hold is replaced."""
    plain = name.strip().replace("\0", "\ufffd").encode(errors="replace").decode()
    folded = unicodedata.normalize("NFKC", plain).casefold()
    return unicodedata.normalize("NFC", folded)


def check_email(address: str) -> str:
    """The address without blanks around it.

    Raises:
        BadInput: it cannot be an address.
    """
    plain = unicodedata.normalize("NFC", address.strip())
    if len(plain) > LONGEST_EMAIL or not _EMAIL.fullmatch(plain) or not plain.isprintable():
        msg = "email is %(value).60r; it must be an address as name@example.com"
        raise BadInput(msg, field="email", value=plain)
    return plain


def check_password(password: str, *names: str) -> str:
    """The password, when it is long enough and neither common nor one of the names.

    Raises:
        BadInput: it is not; the password is not repeated.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        msg = "password has %(value)d characters; %(low)d to %(high)d are allowed"
        bounds = {"low": SHORTEST_PASSWORD, "high": LONGEST_PASSWORD}
        raise BadInput(msg, field="password", value=len(password), **bounds)
    plain = password.casefold()
    own = {part for name in names for part in (name.casefold(), name.casefold().split("@")[0])}
    if plain in _COMMON.split() or plain in own or len(set(plain)) < 4:
        raise BadInput("password is one that is tried first. Choose another.", field="password")
    return password


def propose_usernames(hints: Iterable[str]) -> list[str]:
    """Usernames for somebody whom another site calls so, the best first; there is always one.

    Of an address what stands before the `@`; what no name may hold is left out.
    """
    found = []
    for hint in hints:
        plain = unicodedata.normalize("NFC", hint.partition("@")[0])
        kept = re.sub(r"[^\w.\-]+|_", "-", plain[:LONGEST_EMAIL]).strip(".-")[:LONGEST_PROPOSED]
        name = kept.strip(".-")
        if len(name) >= SHORTEST_NAME and _NAME.fullmatch(name):
            found.append(name)
    return list(dict.fromkeys(found)) or ["reader"]
