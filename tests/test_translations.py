"""Languages: which one a reader gets, and failures in it."""

from __future__ import annotations

import shutil

import pytest

from app import translations
from app.config import resource_dir
from app.errors import BadInput, NotFound
from app.translations import choose_locale, load_translations, translate_error


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("ko", "ko"),
        ("ko-KR", "ko"),
        ("EN-gb", "en"),
        ("en;q=0.3, ko;q=0.4", "ko"),
        ("ko;q=nonsense, en;q=0.1", "en"),
        ("korean", "en"),
        ("*", "en"),
        (",,;q=1", "en"),
        ("ko;q=5", "ko"),
    ],
)
def test_the_best_liked_language_of_ours_is_taken(header, locale):
    assert choose_locale(header) == locale


def test_a_failure_is_said_in_the_language_of_the_reader_with_its_values():
    error = NotFound("There is no instrument %(symbol).40r.", symbol="XYZ")
    assert translate_error(error, "en") == "There is no instrument 'XYZ'."
    assert translate_error(error, "ko") == "'XYZ' 종목이 없습니다."


def test_the_name_of_a_source_is_translated_with_the_sentence():
    message = "%(title)s does not know %(symbol)r. Check the spelling: 005930.KS, AAPL, ^GSPC."
    error = BadInput(message, field="symbol", title="The sample", symbol="Close")
    assert translate_error(error, "ko").startswith("표본에 'Close' 종목이 없습니다.")


def test_a_sentence_without_values_may_hold_a_percent_sign():
    assert translate_error(BadInput("100 % wrong", field="x"), "ko") == "100 % wrong"


def test_a_catalogue_is_compiled_in_memory_when_nobody_has_compiled_it(tmp_path, monkeypatch):
    folder = tmp_path / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(resource_dir("locale") / "ko" / "LC_MESSAGES" / "messages.po", folder)
    monkeypatch.setattr(translations, "resource_dir", lambda _name: tmp_path)
    load_translations.cache_clear()
    try:
        assert load_translations("ko").gettext("Dashboard") == "현황"
    finally:
        load_translations.cache_clear()
