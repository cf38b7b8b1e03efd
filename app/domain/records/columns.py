"""Names of columns: what a header says in our own format, in those of two programs, at brokers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

LONGEST_NAME: Final = 100


class RecordField(StrEnum):
    """What a column of a broker's file can hold.

    AMOUNT is what the trade or the dividend is worth before fee and tax, NET what the account was
    charged or given. REFERENCE is the broker's own number of the transaction. FEE and TAX may stand
    in several columns: they are added.
    """

    DAY = "DAY"
    SETTLES_ON = "SETTLES_ON"
    KIND = "KIND"
    SYMBOL = "SYMBOL"
    NAME = "NAME"
    QUANTITY = "QUANTITY"
    PRICE = "PRICE"
    AMOUNT = "AMOUNT"
    NET = "NET"
    FEE = "FEE"
    TAX = "TAX"
    CURRENCY = "CURRENCY"
    CURRENCY_TO = "CURRENCY_TO"
    AMOUNT_TO = "AMOUNT_TO"
    RATE = "RATE"
    NOTE = "NOTE"
    REFERENCE = "REFERENCE"


ADDED: Final = frozenset({RecordField.FEE, RecordField.TAX})
"""Fields that may stand in several columns."""

OWN_HEAD: Final = "sise "
"""The first column of our own format is named by its version: `sise 1`."""

OWN_COLUMNS: Final = (
    "reverses",
    "day",
    "settles_on",
    "kind",
    "action",
    "symbol",
    "quantity",
    "price",
    "currency",
    "amount",
    "fee",
    "tax",
    "currency_to",
    "amount_to",
    "rate",
    "spread",
    "source",
    "numerator",
    "denominator",
    "symbol_to",
    "quantity_to",
    "cost_share",
    "note",
    "tags",
)
"""The other columns of our own format, the fields of `Entry`; `reverses` is a row's number."""

_F: Final = RecordField
BROKER_NAMES: Final[Mapping[RecordField, tuple[str, ...]]] = {
    _F.DAY: (
        "거래일자", "거래일", "체결일자", "체결일", "매매일자", "매매일", "주문일자", "약정일자",
        "거래일시", "체결일시", "일자", "날짜", "trade date", "transaction date", "date",
        "activity date", "run date", "executed at", "day",
    ),
    _F.SETTLES_ON: (
        "결제일", "결제일자", "결제예정일", "정산일", "정산일자", "지급일", "settlement date",
        "settle date", "settles on", "value date", "pay date",
    ),
    _F.KIND: (
        "거래구분", "매매구분", "거래종류", "거래유형", "거래내용", "적요명", "거래명", "적요",
        "매매유형", "주문구분", "구분", "유형", "종류", "type", "action", "transaction type",
        "activity type", "activity", "side", "kind",
    ),
    _F.SYMBOL: (
        "종목코드", "종목번호", "단축코드", "표준코드", "티커", "종목티커", "심볼", "symbol",
        "ticker", "code", "ticker symbol", "isin",
    ),
    _F.NAME: (
        "종목명", "종목", "상품명", "종목이름", "name", "security name", "security", "description",
    ),
    _F.QUANTITY: (
        "수량", "거래수량", "체결수량", "매매수량", "주수", "거래좌수", "quantity", "qty", "shares",
        "units", "no. of shares",
    ),
    _F.PRICE: (
        "단가", "거래단가", "체결단가", "체결가", "체결가격", "매매단가", "평균단가", "가격",
        "외화단가", "price", "unit price", "price per share", "price / share",
    ),
    _F.AMOUNT: (
        "거래금액", "체결금액", "매매금액", "약정금액", "거래대금", "외화거래금액", "금액",
        "세전금액", "배당금액", "gross amount", "amount", "total amount", "principal amount",
    ),
    _F.NET: (
        "정산금액", "결제금액", "실거래금액", "외화정산금액", "변동금액", "입출금액", "입출금금액",
        "세후금액", "수령금액", "net amount", "settlement amount", "net",
    ),
    _F.FEE: (
        "수수료", "거래수수료", "매매수수료", "유관기관수수료", "해외수수료", "국외수수료",
        "제비용", "fee", "fees", "commission", "commission fee",
    ),
    _F.TAX: (
        "거래세", "증권거래세", "농특세", "농어촌특별세", "제세금", "세금", "소득세", "지방소득세",
        "주민세", "배당소득세", "원천징수세", "원천세", "tax", "taxes", "withholding tax",
    ),
    _F.CURRENCY: (
        "통화", "통화코드", "통화구분", "거래통화", "결제통화", "currency", "currency code",
        "transaction currency",
    ),
    _F.CURRENCY_TO: ("상대통화", "환전통화", "currency to", "to currency"),
    _F.AMOUNT_TO: ("환전금액", "상대금액", "원화금액", "amount to", "to amount"),
    _F.RATE: ("환율", "적용환율", "거래환율", "매매환율", "exchange rate", "fx rate", "rate"),
    _F.NOTE: ("비고", "메모", "note", "notes", "memo", "comment"),
    _F.REFERENCE: (
        "거래번호", "주문번호", "체결번호", "원거래번호", "일련번호", "reference", "transaction id",
        "trade id", "order id", "id",
    ),
}  # fmt: skip
"""Names at Korean and American brokers, the better one first where a file has several."""

PERFORMANCE_NAMES: Final[Mapping[RecordField, tuple[str, ...]]] = {
    _F.DAY: ("date", "datum"),
    _F.KIND: ("type", "typ"),
    _F.NET: ("value", "wert"),
    _F.CURRENCY: ("transaction currency", "buchungswährung"),
    _F.FEE: ("fees", "gebühren"),
    _F.TAX: ("taxes", "steuern"),
    _F.QUANTITY: ("shares", "stück"),
    _F.SYMBOL: ("ticker symbol", "ticker-symbol"),
    _F.NAME: ("security name", "wertpapiername"),
    _F.NOTE: ("note", "notiz"),
}
"""The gross amount of these files is in the currency of the security: it is not read."""

PERFORMANCE_OWN: Final = frozenset({"transaction currency", "buchungswährung"})
"""Portfolio Performance's files have one of these, beside `WKN`."""

GHOSTFOLIO_NAMES: Final[Mapping[RecordField, tuple[str, ...]]] = {
    _F.DAY: ("date",),
    _F.KIND: ("action", "type"),
    _F.SYMBOL: ("code", "symbol"),
    _F.CURRENCY: ("currency",),
    _F.PRICE: ("price", "unitprice"),
    _F.QUANTITY: ("quantity",),
    _F.FEE: ("fee",),
    _F.NOTE: ("note", "comment"),
}
GHOSTFOLIO_OWN: Final = "datasource"
"""Ghostfolio's files name where the prices of a symbol come from."""

_BLANKS: Final = re.compile(r"[\s_]+")
_BRACKETS: Final = re.compile(r"[(\[].*?[)\]]")


def simplify(name: str) -> str:
    """A column's name as it is compared: one case, single blanks."""
    plain = unicodedata.normalize("NFKC", name[:LONGEST_NAME]).casefold()
    return _BLANKS.sub(" ", plain).strip()


def find_columns(
    header: Sequence[str], names: Mapping[RecordField, tuple[str, ...]] = BROKER_NAMES
) -> dict[RecordField, list[int]]:
    """Which columns hold which field. The unit in `거래금액(원)` is passed over."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        plain = simplify(cell)
        for known in (plain, _BRACKETS.sub("", plain).strip()):
            places.setdefault(known, place)
            places.setdefault(known.replace(" ", ""), place)
    found: dict[RecordField, list[int]] = {}
    for field, known_names in names.items():
        columns = dict.fromkeys(places[name] for name in known_names if name in places)
        if columns:
            found[field] = list(columns) if field in ADDED else [next(iter(columns))]
    return found


def count_known(cells: Iterable[str]) -> int:
    """How many cells are names of columns that are known in some format."""
    return sum(_is_known(cell) for cell in cells)


def _is_known(cell: str) -> bool:
    plain = simplify(cell)
    bare = _BRACKETS.sub("", plain).strip()
    return plain.startswith(OWN_HEAD) or not _KNOWN.isdisjoint({plain, bare, bare.replace(" ", "")})


_KNOWN: Final = frozenset(
    {simplify(name) for name in OWN_COLUMNS}
    | {
        name
        for names in (BROKER_NAMES, PERFORMANCE_NAMES, GHOSTFOLIO_NAMES)
        for known in names.values()
        for name in known
    }
    | {GHOSTFOLIO_OWN, "wkn"}
)
