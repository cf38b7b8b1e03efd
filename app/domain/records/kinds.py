"""Words for kinds of transactions: what brokers and two programs call them, in three languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RecordKind(StrEnum):
    """What a line is, with its direction; SKIP is a line that is no transaction.

    EXCHANGE_IN buys the foreign currency, EXCHANGE_OUT sells it.
    """

    OPENING = "OPENING"
    BUY = "BUY"
    SELL = "SELL"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    EXCHANGE_IN = "EXCHANGE_IN"
    EXCHANGE_OUT = "EXCHANGE_OUT"
    TRANSFER_IN = "TRANSFER_IN"
    TRANSFER_OUT = "TRANSFER_OUT"
    DIVIDEND = "DIVIDEND"
    INTEREST = "INTEREST"
    INTEREST_CHARGE = "INTEREST_CHARGE"
    FEE = "FEE"
    FEE_REFUND = "FEE_REFUND"
    TAX = "TAX"
    TAX_REFUND = "TAX_REFUND"
    BONUS = "BONUS"
    RIGHTS = "RIGHTS"
    SKIP = "SKIP"


_K: Final = RecordKind
WORDS: Final[Mapping[str, RecordKind]] = {
    "buy": _K.BUY, "bought": _K.BUY, "kauf": _K.BUY, "purchase": _K.BUY, "b": _K.BUY,
    "sell": _K.SELL, "sold": _K.SELL, "verkauf": _K.SELL, "sale": _K.SELL, "s": _K.SELL,
    "deposit": _K.DEPOSIT, "einlage": _K.DEPOSIT,
    "withdrawal": _K.WITHDRAWAL, "withdraw": _K.WITHDRAWAL, "removal": _K.WITHDRAWAL,
    "entnahme": _K.WITHDRAWAL,
    "dividend": _K.DIVIDEND, "dividends": _K.DIVIDEND, "dividende": _K.DIVIDEND,
    "dividendreceived": _K.DIVIDEND, "cashdividend": _K.DIVIDEND,
    "interest": _K.INTEREST, "zinsen": _K.INTEREST,
    "interestcharge": _K.INTEREST_CHARGE, "zinsbelastung": _K.INTEREST_CHARGE,
    "fee": _K.FEE, "fees": _K.FEE, "gebühren": _K.FEE,
    "feesrefund": _K.FEE_REFUND, "gebührenerstattung": _K.FEE_REFUND,
    "tax": _K.TAX, "taxes": _K.TAX, "steuern": _K.TAX,
    "taxrefund": _K.TAX_REFUND, "steuerrückerstattung": _K.TAX_REFUND,
    "delivery(inbound)": _K.TRANSFER_IN, "einlieferung": _K.TRANSFER_IN,
    "delivery(outbound)": _K.TRANSFER_OUT, "auslieferung": _K.TRANSFER_OUT,
    "transfer(inbound)": _K.TRANSFER_IN, "umbuchung(eingang)": _K.TRANSFER_IN,
    "transfer(outbound)": _K.TRANSFER_OUT, "umbuchung(ausgang)": _K.TRANSFER_OUT,
    "opening": _K.OPENING, "기초잔고": _K.OPENING, "이월잔고": _K.OPENING,
    "합계": _K.SKIP, "소계": _K.SKIP, "총계": _K.SKIP, "총합계": _K.SKIP, "total": _K.SKIP,
}  # fmt: skip
"""Whole words, in lower case and without blanks; those of somebody's mapping come before them."""

_PARTS: Final = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"(세금?|원천징수).*(환급|반환)", _K.TAX_REFUND),
        (r"(외화|달러|usd|외환|환전)매수|^(자동|외화)?환전$", _K.EXCHANGE_IN),
        (r"(외화|달러|usd|외환|환전)매도", _K.EXCHANGE_OUT),
        (r"무상", _K.BONUS),
        (r"유상", _K.RIGHTS),
        (r"매수", _K.BUY),
        (r"매도", _K.SELL),
        (r"세금|원천징수|배당세|소득세|거래세", _K.TAX),
        (r"배당|분배금", _K.DIVIDEND),
        (r"(신용|대출|융자)이자|이자(출금|납부|상환)", _K.INTEREST_CHARGE),
        (r"이용료|이자", _K.INTEREST),
        (r"수수료.*(환급|반환)", _K.FEE_REFUND),
        (r"수수료|제비용", _K.FEE),
        (r"입고", _K.TRANSFER_IN),
        (r"출고", _K.TRANSFER_OUT),
        (r"입금", _K.DEPOSIT),
        (r"출금|송금", _K.WITHDRAWAL),
    )
)
"""Words within longer ones (`장내현금매수`); the first that fits counts."""

_UNDONE: Final = re.compile(r"취소|정정|cancel")


def simplify_word(word: str) -> str:
    """A word as it is compared: one case, no blanks."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(plain.split())


def find_kind(word: str, own: Mapping[str, RecordKind] | None = None) -> RecordKind | None:
    """What a word means; `own` says more words. A cancelled or corrected trade means nothing."""
    plain = simplify_word(word)
    known = (own or {}).get(plain) or WORDS.get(plain)
    if known is not None or _UNDONE.search(plain):
        return known
    return next((kind for pattern, kind in _PARTS if pattern.search(plain)), None)
