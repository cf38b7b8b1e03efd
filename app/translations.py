"""Translations: the catalogues of `locale/`, and an expected failure in the reader's language.

`make messages` and the build compile `messages.po` to `messages.mo`. Where the compiled file is
missing or older, as in a fresh checkout, the catalogue is compiled in memory.
"""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final, Literal

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.config import resource_dir
from app.errors import AppError, BadInput

Locale = Literal["ko", "en"]
LOCALES: Final[tuple[Locale, ...]] = ("ko", "en")
DEFAULT_LOCALE: Final[Locale] = "en"

FIELD: Final = "field"
"""The context of what arguments, parameters and fields of forms are called, in catalogues."""

KIND: Final = "kind"
"""The context of the kinds of transactions and of rules of alerts."""

_FIELDS: Final = {"name": FIELD, "other": FIELD}
_KINDS: Final = {"kind": KIND, "action": KIND}


def N_(message: str) -> str:  # noqa: N802 - the name that the extraction of messages looks for
    """Marks a message for translation and returns it as it is."""
    return message


@cache
def load_translations(locale: Locale) -> GNUTranslations:
    """The catalogue of one language, read once per process."""
    folder = resource_dir("locale") / locale / "LC_MESSAGES"
    return GNUTranslations(io.BytesIO(_compiled(folder)))


def translate_error(error: AppError, locale: Locale, **said: str) -> str:
    """The sentence of an expected failure in that language, its values filled in.

    Values that are words of ours are translated too: `title` is a price source's name, `kind` and
    `action` are kinds, and what cannot be right names a field by `name`, and by `other` one that it
    does not go with. `said` replaces values that the caller has better words for.
    """
    known = load_translations(locale)
    values = error.values | said
    if not values:
        return known.gettext(error.message)
    if "title" in values:
        values["title"] = known.gettext(values["title"])
    contexts = _KINDS | _FIELDS if isinstance(error, BadInput) else _KINDS
    for name in contexts.keys() & values.keys():
        values[name] = known.pgettext(contexts[name], values[name])
    return known.gettext(error.message) % values


def choose_locale(accept_language: str) -> Locale:
    """The language of ours that an `Accept-Language` header prefers; English when it names none.

    Quality values count (RFC 9110, section 12.5.4); what cannot be read is passed over.
    """
    ranked: list[tuple[float, int, Locale]] = []
    for position, item in enumerate(accept_language.split(",")):
        tag, _, parameter = item.strip().partition(";")
        locale = next((known for known in LOCALES if tag.lower().split("-")[0] == known), None)
        if locale is not None:
            ranked.append((-_quality(parameter), position, locale))
    best = min(ranked, default=None)
    return best[2] if best is not None and best[0] < 0 else DEFAULT_LOCALE


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def _compiled(folder: Path) -> bytes:
    source, compiled = folder / "messages.po", folder / "messages.mo"
    if compiled.is_file() and compiled.stat().st_mtime >= source.stat().st_mtime:
        return compiled.read_bytes()
    with source.open("rb") as file:
        catalogue = read_po(file)
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()
