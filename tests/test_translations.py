"""Languages: which one a reader gets, and failures in it."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from app import translations
from app.config import resource_dir
from app.errors import BadInput, NotFound
from app.translations import FIELD, choose_locale, load_translations, translate_error
from tools.messages import callee, find_names, find_said, read_catalogue, read_sources


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


@pytest.mark.parametrize(
    ("message", "values", "said"),
    [
        (
            "%(name)s is %(value)s; it must be above 0",
            {"name": "settlesOn", "value": 0},
            ("결제일 값이 0입니다. 0보다 커야 합니다.", "settles on is 0; it must be above 0"),
        ),
        (
            "%(name)s is missing; %(kind)s needs it",
            {"name": "quantity", "kind": "BUY"},
            ("수량 값이 없습니다. 매수에 필요합니다.", "quantity is missing; buy needs it"),
        ),
        (
            "%(name)s is %(value)s; it must be below %(other)s, which is %(bound)s",
            {"name": "fast", "value": 50, "other": "slow", "bound": 20},
            (
                "단기 기간 값이 50입니다. 장기 기간(20)보다 작아야 합니다.",
                "fast is 50; it must be below slow, which is 20",
            ),
        ),
    ],
)
def test_fields_and_kinds_are_said_in_the_language_and_stay_exact_beside_it(message, values, said):
    error = BadInput(message, field=values["name"], **values)
    assert (translate_error(error, "ko"), translate_error(error, "en")) == said
    assert str(error) == message % values
    assert error.extensions["field"] == values["name"]


def test_a_name_that_somebody_has_given_is_no_field():
    assert translate_error(NotFound("%(name)s", name="price"), "ko") == "price"


EXAMPLE = re.compile(r"%\(\w+\)[.\d]*\w|\S*[@/]\S*")
OF_PROGRAMS = {"endCursor", "operationName"}
"""Names that only who writes to the API gives."""


@pytest.fixture(scope="module")
def sources():
    """The modules that say something, read once."""
    return read_sources()


@pytest.fixture(scope="module")
def all_said(sources):
    """Every call that says something, and what."""
    return list(find_said(sources))


def test_no_english_error_names_a_field_as_the_schema_does(all_said):
    for _, text in all_said:
        shown = set(re.findall(r"\b[a-z]+[A-Z]\w*", EXAMPLE.sub("", text)))
        assert shown <= OF_PROGRAMS, text


def test_no_korean_error_names_a_field_as_the_schema_does(sources, all_said):
    catalogue, names = read_catalogue("ko"), find_names(sources)[FIELD]
    refusals = [(call, text) for call, text in all_said if callee(call) == "BadInput"]
    faults = []
    for call, text in refusals:
        said = catalogue.get(text).string
        word = re.match(r"[a-z]\w*", text)
        if word and word[0] in _fields(call) and _word(catalogue, word[0]) not in said:
            faults.append(f"{text!r} without {_word(catalogue, word[0])!r}: {said!r}")
        if shown := names & set(re.findall(r"[A-Za-z_]+", EXAMPLE.sub("", said))):
            faults.append(f"{text!r} with {shown}: {said!r}")
    assert faults == []
    assert sum(bool(_fields(call)) for call, _ in refusals) > 100


def test_a_field_is_called_in_korean_errors_as_its_label_is():
    catalogue, labels = read_catalogue("ko"), 0
    for path in Path("templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for field, label in re.findall(r'field\(form, "(\w+)", _\("([^"]+)"\)', text):
            assert _word(catalogue, field) in catalogue.get(label).string, (field, label)
            labels += 1
    assert labels > 50


def _fields(call: ast.Call) -> set[str]:
    """The field that a refusal names, where it is written out."""
    given = {one.arg: one.value for one in call.keywords}
    field = given.get("field")
    return {str(field.value)} if isinstance(field, ast.Constant) else set()


def _word(catalogue, field: str) -> str:
    message = catalogue.get(field, FIELD)
    return message.string if message else f"a word for {field}"


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
