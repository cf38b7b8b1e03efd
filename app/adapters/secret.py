"""The secret of the installation: from the environment, a file, or made beside embedded servers.

Everything that is sealed or signed hangs on it. It has no default: own servers name theirs, the
embedded ones get a random one in `<data directory>/secret`, mode 0600, at the first start.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from app.config import Settings
from app.errors import ConfigError

SHORTEST: Final = 32  # bytes
FEWEST: Final = 8  # different bytes: a repeated word has fewer
FILE: Final = "secret"
KNOWN: Final = ("changeme", "secret", "password", "example", "default", "12345678", "qwerty")
HOW: Final = "Make one by `openssl rand -hex 32`."


def load_secret(settings: Settings) -> bytes:
    """The secret that the settings name.

    Raises:
        ConfigError: none, one that cannot be read, or one that could be guessed.
    """
    if settings.secret is not None:
        return check_secret("SISE_SECRET", settings.secret.encode())
    if settings.secret_file is not None:
        return check_secret("SISE_SECRET_FILE", _read(settings.secret_file))
    raise ConfigError(
        "SISE_SECRET is not set (nor SISE_SECRET_FILE): servers of your own need it. %(how)s",
        how=HOW,
    )


def make_secret(data_dir: Path) -> Path:
    """The file of the embedded installation's secret, written when there is none.

    Raises:
        ConfigError: the directory cannot be written.
    """
    path = data_dir / FILE
    fresh = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(opened, "w", encoding="ascii") as file:
                file.write(f"{secrets.token_hex(SHORTEST)}\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)  # whole or not at all, and never over another
    except FileExistsError:
        return path
    except OSError as error:
        raise ConfigError(
            "The secret %(path)s cannot be written: %(why)s", path=path, why=error.strerror or error
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
    return path


def check_secret(name: str, value: bytes) -> bytes:
    """The secret, when it is long enough and nobody would try it.

    Raises:
        ConfigError: it could be guessed; the value is not repeated.
    """
    if len(value) < SHORTEST:
        msg = "%(name)s has %(value)d bytes; at least %(bound)d are needed. %(how)s"
        raise ConfigError(msg, name=name, value=len(value), bound=SHORTEST, how=HOW)
    plain = value.lower().replace(b"-", b"").replace(b"_", b"")
    if len(set(value)) < FEWEST or any(word.encode() in plain for word in KNOWN):
        raise ConfigError("%(name)s is a known word or a pattern. %(how)s", name=name, how=HOW)
    return value


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            "SISE_SECRET_FILE %(path)s cannot be read: %(why)s",
            path=path,
            why=error.strerror or error,
        ) from error
