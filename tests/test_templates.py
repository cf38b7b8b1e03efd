"""Templates: nothing that the content policy forbids, documents that fit, messages translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.graphql.execute import load_documents
from app.web.render import get_renderer
from tools.messages import LOCALES, collect, find_faults, read_catalogue

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
FILES = sorted(TEMPLATES.rglob("*.html"))

FORBIDDEN = {
    "an htmx event attribute": re.compile(r"\bhx-on\b"),
    "a value that is evaluated": re.compile(r"=\s*[\"'](?:js|javascript):"),
    "a filter in hx-trigger": re.compile(r"hx-trigger[\w:.-]*\s*=\s*(\"[^\"]*\[|'[^']*\[)"),
    "hx-live": re.compile(r"\bhx-live\b"),
    "a script in the page": re.compile(r"<script(?![^>]*\ssrc=)"),
    "an import map": re.compile(r"importmap"),
    "a style in the page": re.compile(r"<style\b|\sstyle\s*="),
    "an event attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    "text that is not escaped": re.compile(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b"),
    "a file of another host": re.compile(
        r"<(?:script|link|img|source)[^>]*(?:src|href)=\"(?:https?:)?//"
    ),
}


def faults(text: str) -> list[str]:
    """What of the forbidden is in a template."""
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(TEMPLATES).as_posix())
def test_a_template_has_nothing_that_the_policy_forbids(path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        '<b hx-on:click="x()">',
        "<b hx-vals='js:{a: 1}'>",
        '<b hx-trigger="keyup[key==1]">',
        "<script>x()</script>",
        '<script type="importmap" src="/x">',
        '<p style="color: red">',
        "<style>p {}</style>",
        '<a onclick="x()">',
        "{{ name|safe }}",
        '<script src="https://cdn.example/x.js">',
        '<a href="javascript:x()">',
    ],
)
def test_the_lint_finds_each_of_them(text):
    assert faults(text)


@pytest.mark.parametrize("name", get_renderer().names())
def test_every_template_compiles_in_every_language(name):
    for environment in get_renderer()._environments.values():
        environment.get_template(name)


def test_every_document_fits_the_schema():
    names = load_documents(TEMPLATES).keys()
    files = {
        p.relative_to(TEMPLATES).with_suffix("").as_posix() for p in TEMPLATES.rglob("*.graphql")
    }
    assert set(names) == files
    assert "dashboard/page" in files


def test_underscore_files_are_included_and_pages_are_not():
    texts = "".join(p.read_text(encoding="utf-8") for p in [*FILES, *Path("app/web").glob("*.py")])
    for path in FILES:
        name = path.relative_to(TEMPLATES).as_posix()
        assert f'"{name}"' in texts, f"{name} is used nowhere"
        if path.name == "page.html":
            assert f'include "{name}"' not in texts


def test_every_message_is_translated_and_none_is_fuzzy():
    wanted = collect()
    assert [fault for locale in LOCALES for fault in find_faults(locale, wanted)] == []


PLACEHOLDER = re.compile(r"%\((\w+)\)[^a-zA-Z%]*[a-zA-Z]|%%")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_message(locale):
    for message in read_catalogue(locale):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = {m.group(0) for m in PLACEHOLDER.finditer(ids[0])}
        for text in texts:
            assert {m.group(0) for m in PLACEHOLDER.finditer(text)} == wanted, message.id
