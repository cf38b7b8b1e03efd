"""Letters: a few paragraphs in the reader's language, as text and as plain HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from app.adapters.mail import Letter
from app.env import Env
from app.services.people.mails import Mail
from app.translations import DEFAULT_LOCALE, load_translations


@dataclass(frozen=True)
class Draft:
    """What a letter says: English templates that `values` fill. `path` is where its link leads."""

    subject: str
    paragraphs: tuple[str, ...]
    values: dict[str, Any]
    path: str | None = None


def write_letter(env: Env, mail: Mail, draft: Draft, locale: str | None = None) -> Letter:
    """The letter of a draft, in that language, else in the one of whoever caused it."""
    known = "ko" if (locale or mail.locale) == "ko" else DEFAULT_LOCALE
    gettext = load_translations(known).gettext
    site = env.settings.site
    said = [gettext(paragraph) % draft.values for paragraph in draft.paragraphs]
    link = None if draft.path is None else f"{site}{draft.path}"
    return Letter(
        to=mail.address,
        subject=gettext(draft.subject) % draft.values,
        text="\n\n".join([*said[:1], *([link] if link else []), *said[1:], f"Sise · {site}\n"]),
        html=_html(known, said, link, site),
        key=f"sise-{mail.job_id}",
        at=env.clock.now(),
    )


def _html(locale: str, said: list[str], link: str | None, site: str) -> str:
    parts = [f"<p>{escape(paragraph)}</p>" for paragraph in said]
    if link is not None:
        parts.insert(1, f'<p><a href="{escape(link)}">{escape(link)}</a></p>')
    body = "\n".join([*parts, f'<p>Sise · <a href="{escape(site)}">{escape(site)}</a></p>'])
    return f'<!doctype html>\n<html lang="{locale}"><meta charset="utf-8">\n{body}\n</html>\n'
