"""Names as lists show them."""

from __future__ import annotations

import pytest

from app.web.names import short_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Samsung Electronics Co., Ltd.", "Samsung Electronics"),
        ("SK hynix Inc.", "SK hynix"),
        ("Tesla, Inc.", "Tesla"),
        ("International Business Machines Corporation", "International Business Machines"),
        ("KOSPI Composite Index", "KOSPI"),
        ("나스닥 종합지수", "나스닥"),
        ("코스피 지수", "코스피"),
        ("SPDR S&P 500 ETF Trust", "SPDR S&P 500 ETF Trust"),
        ("Inc.", "Inc."),
        ("Index", "Index"),
        ("Nasdaq Composite", "Nasdaq Composite"),
    ],
)
def test_the_form_of_a_company_and_the_word_index_are_left_out(name, short):
    assert short_name(name) == short
