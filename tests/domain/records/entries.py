"""Generated entries: every kind and action, with the texts and figures that files find hard."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from app.domain.entry_checks import check_entry
from app.domain.transactions import CorporateAction, Entry, TransactionKind

HARD = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "'",
    "''=1",
    '"',
    ",;\t",
    "삼성전자",
    "\\;",
    "a\\",
]
_printable = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
_days = st.dates(date(1960, 1, 1), date(2099, 12, 31))
_numbers = st.decimals(Decimal("0.00000001"), 999_999_999, places=8)
_currencies = st.sampled_from(["KRW", "USD"])


def _texts(longest: int) -> st.SearchStrategy[str]:
    plain = st.text(_printable, min_size=1, max_size=longest).filter(str.strip)
    return st.sampled_from([h for h in HARD if len(h) <= longest and h.isprintable()]) | plain


_notes = st.just("") | _texts(40) | st.sampled_from(["two\nlines", "a\ttab", " kept ", "\n=1"])


def _money(currency: str, *, signed: bool = False, top: int = 10**14) -> st.SearchStrategy[Decimal]:
    places = 0 if currency == "KRW" else 2
    least = -top if signed else 0
    return st.decimals(least, top, places=places).filter(bool)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """An entry that `check_entry` takes, of any kind."""
    kind = draw(st.sampled_from(TransactionKind))
    day = draw(_days)
    facts: dict[str, object] = {
        "kind": kind,
        "day": day,
        "settles_on": draw(_days.filter(lambda d: d >= day) if day.year < 2098 else st.just(day)),
        "note": draw(_notes),
        "tags": tuple(draw(st.lists(_texts(12), max_size=3))),
    }
    maker = _ACTIONS if kind is TransactionKind.CORPORATE_ACTION else _KINDS
    if kind is TransactionKind.CORPORATE_ACTION:
        facts["action"] = kind = draw(st.sampled_from(CorporateAction))
    for field in maker[kind].split():
        facts |= _draw_field(draw, field, facts)
    return check_entry(Entry(**facts))  # type: ignore[arg-type]


_KINDS = {
    TransactionKind.OPENING: "symbol quantity money",
    TransactionKind.BUY: "symbol quantity price money charges",
    TransactionKind.SELL: "symbol quantity price money charges",
    TransactionKind.DEPOSIT: "money",
    TransactionKind.WITHDRAWAL: "money",
    TransactionKind.EXCHANGE: "exchange",
    TransactionKind.TRANSFER: "signed",
    TransactionKind.DIVIDEND: "symbol money",
    TransactionKind.INTEREST: "signed",
    TransactionKind.FEE: "signed",
    TransactionKind.TAX: "signed",
    TransactionKind.SPLIT: "symbol signed_quantity split",
}
_ACTIONS = {
    CorporateAction.BONUS: "symbol quantity",
    CorporateAction.RIGHTS: "symbol quantity price money charges",
    CorporateAction.SPIN_OFF: "symbol symbol_to quantity_to cost_share",
    CorporateAction.MERGER: "symbol away symbol_to quantity_to money",
    CorporateAction.SYMBOL_CHANGE: "symbol away symbol_to same_quantity",
    CorporateAction.DELISTING: "symbol away money",
}


def _draw_field(draw: st.DrawFn, field: str, known: dict[str, object]) -> dict[str, object]:
    currency = known.get("currency") or draw(_currencies)
    if field in {"money", "signed"}:
        return {
            "currency": currency,
            "amount": draw(_money(str(currency), signed=field == "signed")),
        }
    if field == "charges":
        charge = _money(str(known["currency"]), top=10**8)
        return {"fee": draw(charge), "tax": draw(charge)}
    if field == "exchange":
        other = "USD" if currency == "KRW" else "KRW"
        return {
            "currency": currency,
            "amount": draw(_money(str(currency))),
            "currency_to": other,
            "amount_to": draw(_money(other)),
            "rate": draw(_numbers),
            "spread": draw(st.none() | st.decimals(0, 1, places=6)),
            "source": draw(st.none() | _texts(20)),
        }
    if field == "split":
        return {"numerator": draw(_numbers), "denominator": Decimal("1000000.5")}
    if field == "symbol_to":
        return {field: draw(_texts(12).filter(lambda text: text != known["symbol"]))}
    return {
        "symbol": lambda: {"symbol": draw(_texts(12))},
        "quantity": lambda: {"quantity": draw(_numbers)},
        "price": lambda: {"price": draw(_numbers)},
        "quantity_to": lambda: {"quantity_to": draw(_numbers)},
        "cost_share": lambda: {"cost_share": draw(st.decimals(0, 1, places=8))},
        "away": lambda: {"quantity": -draw(_numbers)},
        "same_quantity": lambda: {"quantity_to": -known["quantity"]},  # type: ignore[operator]
        "signed_quantity": lambda: {"quantity": draw(_numbers) * draw(st.sampled_from([1, -1]))},
    }[field]()
