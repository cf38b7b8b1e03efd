"""Words for kinds: those of Korean brokers, of programs, and of somebody's own mapping."""

from __future__ import annotations

import pytest

from app.domain.records.kinds import RecordKind, find_kind


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("매수", "BUY"),
        ("현금매수", "BUY"),
        ("장내 매수", "BUY"),
        ("해외주식매도", "SELL"),
        ("매도체결", "SELL"),
        ("입금", "DEPOSIT"),
        ("은행이체입금", "DEPOSIT"),
        ("출금", "WITHDRAWAL"),
        ("이체송금", "WITHDRAWAL"),
        ("배당금", "DIVIDEND"),
        ("배당금입금", "DIVIDEND"),
        ("ETF분배금입금", "DIVIDEND"),
        ("배당세출금", "TAX"),
        ("환전", "EXCHANGE_IN"),
        ("외화매수", "EXCHANGE_IN"),
        ("외화매도", "EXCHANGE_OUT"),
        ("예탁금이용료", "INTEREST"),
        ("이자입금", "INTEREST"),
        ("신용이자", "INTEREST_CHARGE"),
        ("수수료", "FEE"),
        ("수수료환급", "FEE_REFUND"),
        ("세금", "TAX"),
        ("세금환급", "TAX_REFUND"),
        ("타사대체입고", "TRANSFER_IN"),
        ("대체출고", "TRANSFER_OUT"),
        ("무상입고", "BONUS"),
        ("유상입고", "RIGHTS"),
        ("합계", "SKIP"),
        ("Kauf", "BUY"),
        ("Verkauf", "SELL"),
        ("Umbuchung (Eingang)", "TRANSFER_IN"),
        ("Zinsbelastung", "INTEREST_CHARGE"),
        ("Steuerrückerstattung", "TAX_REFUND"),
        ("Delivery (Outbound)", "TRANSFER_OUT"),
        ("Dividend", "DIVIDEND"),
        ("BUY", "BUY"),
    ],
)
def test_words(word, kind):
    assert find_kind(word) is RecordKind(kind)


@pytest.mark.parametrize("word", ["매수취소", "매도정정", "", "ITEM", "LIABILITY", "액면분할"])
def test_what_is_not_known_is_not_guessed(word):
    assert find_kind(word) is None


def test_own_words_come_first():
    own = {"매수": RecordKind.SKIP, "공모청약": RecordKind.BUY}
    assert find_kind("매수", own) is RecordKind.SKIP
    assert find_kind("공모 청약", own) is RecordKind.BUY
