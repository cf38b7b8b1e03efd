"""Brokers' and other programs' files: what each line means, and where a line is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.records.cells import DayOrder
from app.domain.records.columns import RecordField
from app.domain.records.kinds import RecordKind
from app.domain.records.mapping import ColumnMapping
from app.domain.records.rows import RecordFormat
from app.errors import BadInput
from tests.domain.records.notation import briefs, read

KOREAN = """계좌번호 : 123-45-678901,,,,,,,,,,
거래일자,거래구분,종목코드,종목명,수량,단가,거래금액,수수료,거래세,농특세,정산금액,결제일,거래번호
2024.01.02,매수,A005930,삼성전자,10,"71,200","712,000",100,0,0,"712,100",2024.01.04,1
2024.01.03,매도,5930,삼성전자,5,"72,000","360,000",50,180,540,"359,230",2024.01.05,2
2024.01.04,은행이체입금,,,,,"1,000,000",,,,"1,000,000",2024.01.04,3
2024.01.05,출금,,,,,"(50,000)",,,,"50,000",2024.01.05,4
2024.01.06,배당금입금,005930,삼성전자,5,0,"1,805",0,278,,"1,527",2024.01.06,5
2024.01.07,예탁금이용료,,,,,12,,,,12,2024.01.07,6
2024.01.08,타사대체입고,,카카오,3,"50,000",,,,,,2024.01.08,7
2024.01.09,타사대체출고,KR7035720002,,1,,,,,,,2024.01.09,8
2024.01.10,무상입고,005930,삼성전자,2,,,,,,,2024.01.10,9
2024.01.11,매수,293490,카카오게임즈,1,"25,000",,,,,,2024.01.15,10
합계,,,,,,"2,073,805",,,,,,
"""


def test_a_korean_broker():
    found = read(KOREAN)
    assert found.format is RecordFormat.BROKER
    assert briefs(found) == [
        "BUY 005930.KS 10 @ 71200 = 712000 KRW fee 100",
        "SELL 005930.KS 5 @ 72000 = 360000 KRW fee 50 tax 720",
        "DEPOSIT = 1000000 KRW",
        "WITHDRAWAL = 50000 KRW",
        "DIVIDEND 005930.KS = 1805 KRW tax 278",
        "INTEREST = 12 KRW",
        "TRANSFER 035720.KS 3 = 150000 KRW",
        "TRANSFER 035720.KS -1",
        "BONUS 005930.KS 2",
        "BUY 293490.KQ 1 @ 25000 = 25000 KRW",
    ]
    assert found.skipped == 1
    assert found.rows[0].line == 3
    assert found.rows[0].reference == "1"
    assert found.rows[0].entry.settles_on == date(2024, 1, 4)
    assert found.columns["TAX"] == ["거래세", "농특세"]
    assert found.unused == []


def test_shares_in_dollars_and_their_exchange():
    found = read(
        "거래일,거래구분,종목코드,통화,수량,단가,거래금액,수수료,환율,원화금액\n"
        "20240102,외화매수,,USD,,,1000.00,,1300.5,\n"
        "20240103,외화매도,,USD,,,500,,,650000\n"
        "20240104,매수,AAPL,USD,2,187.5,375,0.94,,\n"
        "20240104,환전,,KRW,,,1300000,,1300,\n"
    )
    assert briefs(found) == [
        "EXCHANGE = 1300500 KRW for 1000 USD at 1300.5",
        "EXCHANGE = 500 USD for 650000 KRW at 1300",
        "BUY AAPL 2 @ 187.5 = 375 USD fee 0.94",
        "EXCHANGE = 1300000 KRW for 1000 USD at 1300",
    ]


def test_english_columns_and_what_is_left_out():
    found = read(
        "Trade Date\tAction\tSymbol\tQty\tPrice\tNet Amount\tCommission\tMemo\n"
        "01/31/2024\tBuy\tAAPL\t3\t\t-301.00\t1.00\tfirst\n"
        "02/01/2024\tSell\tBRK.B\t-1\t350\t\t\t\n"
    )
    assert briefs(found) == ["BUY AAPL 3 @ 100 = 300 USD fee 1", "SELL BRK-B 1 @ 350 = 350 USD"]
    assert found.rows[0].entry.day == date(2024, 1, 31)
    assert found.rows[0].entry.note == "first"


GHOSTFOLIO = """Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note
01-09-2021,Account Opening Fee,MANUAL,USD,0,0,fee,49,
16-09-2021,MSFT,YAHOO,USD,298.580,5,buy,19.00,My first order 🤓
17/11/2021,MSFT,YAHOO,USD,0.62,5,dividend,0.00,
05.12.2021,MSFT,YAHOO,USD,330,2,sell,1,
06.12.2021,Savings,MANUAL,USD,1.5,1,interest,0,
07.12.2021,House,MANUAL,USD,500000,1,item,0,
08.12.2021,BAS.DE,YAHOO,EUR,60,1,buy,0,
20500606,MSFT,YAHOO,USD,0.00,0,buy,0.00,
"""


def test_ghostfolio():
    found = read(GHOSTFOLIO)
    assert found.format is RecordFormat.GHOSTFOLIO
    assert briefs(found) == [
        "FEE = 49 USD",
        "BUY MSFT 5 @ 298.58 = 1492.9 USD fee 19",
        "DIVIDEND MSFT 5 @ 0.62 = 3.1 USD",
        "SELL MSFT 2 @ 330 = 660 USD fee 1",
        "INTEREST = 1.5 USD",
        "! 7 Action item",
        "! 8 Code BAS.DE",
        "! 9 Date 20500606",
    ]
    assert found.rows[1].entry.note == "My first order 🤓"


PERFORMANCE = (
    "Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,Fees,"
    "Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note\r\n"
    '2024-01-02T00:00,Buy,"1,010.00",USD,,,,10.00,0.00,10,US0378331005,865985,AAPL,Apple,n\r\n'
    "2024-01-03T09:30,Sell,-560.00,USD,,,,5.00,15.00,5,US0378331005,865985,AAPL,Apple,\r\n"
    "2024-01-04T00:00,Delivery (Inbound),200.00,USD,,,,0,0,2,,,AAPL,Apple,\r\n"
    "2024-01-05T00:00,Delivery (Outbound),-100.00,USD,,,,0,0,1,,,AAPL,Apple,\r\n"
    "2024-01-06T00:00,Deposit,500.00,USD,,,,,,,,,,,\r\n"
    "2024-01-07T00:00,Removal,-100.00,USD,,,,,,,,,,,\r\n"
    "2024-01-08T00:00,Dividend,8.50,USD,,,,0,1.50,10,,,AAPL,Apple,\r\n"
    "2024-01-09T00:00,Interest Charge,-3.00,USD,,,,,,,,,,,\r\n"
    "2024-01-10T00:00,Tax Refund,2.00,USD,,,,,,,,,,,\r\n"
    "2024-01-11T00:00,Transfer (Outbound),-9.00,USD,,,,,,,,,,,\r\n"
)
MEANT = [
    "BUY AAPL 10 @ 100 = 1000 USD fee 10",
    "SELL AAPL 5 @ 116 = 580 USD fee 5 tax 15",
    "TRANSFER AAPL 2 = 200 USD",
    "TRANSFER AAPL -1",
    "DEPOSIT = 500 USD",
    "WITHDRAWAL = 100 USD",
    "DIVIDEND AAPL = 10 USD tax 1.5",
    "INTEREST = -3 USD",
    "TAX = -2 USD",
    "TRANSFER = -9 USD",
]


def test_portfolio_performance_in_english():
    found = read(PERFORMANCE)
    assert found.format is RecordFormat.PORTFOLIO_PERFORMANCE
    assert briefs(found) == MEANT


def test_portfolio_performance_in_german():
    words = {
        "Date,": "Datum,", "Type,": "Typ,", "Value,": "Wert,", "Fees,": "Gebühren,",
        "Transaction Currency": "Buchungswährung", "Gross Amount": "Bruttobetrag",
        "Currency Bruttobetrag": "Währung Bruttobetrag", "Exchange Rate": "Wechselkurs",
        "Taxes,": "Steuern,", "Shares,": "Stück,", "Ticker Symbol": "Ticker-Symbol",
        "Security Name": "Wertpapiername", "Note": "Notiz", "Buy": "Kauf", "Sell": "Verkauf",
        "Delivery (Inbound)": "Einlieferung", "Delivery (Outbound)": "Auslieferung",
        "Deposit": "Einlage", "Removal": "Entnahme", "Dividend": "Dividende",
        "Interest Charge": "Zinsbelastung", "Tax Refund": "Steuerrückerstattung",
        "Transfer (Outbound)": "Umbuchung (Ausgang)", '"1,010.00"': "1.010.00",
    }  # fmt: skip
    german = PERFORMANCE
    for english, word in words.items():
        german = german.replace(english, word)
    lines = german.replace(",", ";").splitlines()
    lines[1:] = [line.replace(".", ",").replace("1,010", "1.010") for line in lines[1:]]
    found = read("\r\n".join(lines))
    assert found.format is RecordFormat.PORTFOLIO_PERFORMANCE
    assert briefs(found) == MEANT


def test_a_mapping_names_columns_and_words():
    text = "When;What;Share;Pieces;Each;Cost A;Cost B\n31/01/2024;공모청약;AAPL;2;10,5;0,5;0,25\n"
    mapping = ColumnMapping(
        {
            RecordField.DAY: ("When",),
            RecordField.KIND: ("what",),
            RecordField.SYMBOL: ("Share",),
            RecordField.QUANTITY: ("Pieces",),
            RecordField.PRICE: ("Each",),
            RecordField.FEE: ("Cost A", "Cost B"),
        },
        {"공모청약": RecordKind.BUY},
        decimal_comma=True,
        day_order=DayOrder.DMY,
    )
    assert briefs(read(text, mapping)) == ["BUY AAPL 2 @ 10.5 = 21 USD fee 0.75"]


def test_a_mapping_of_another_file_is_refused():
    with pytest.raises(BadInput, match="'When', which the file has not"):
        read("date,type\n2024-01-02,buy\n", ColumnMapping({RecordField.DAY: ("When",)}))


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "date,x\n2024-01-02,2\n", "hello"])
def test_without_a_day_or_a_kind_the_columns_are_named(text):
    with pytest.raises(BadInput, match=r"No column is known to hold (day|kind)"):
        read(text)


HEAD = "date,type,symbol,quantity,price,amount,fee,currency\n"


@pytest.mark.parametrize(
    ("line", "column", "value", "words"),
    [
        ("2024-02-30,buy,AAPL,1,1,1,0,USD", "date", "2024-02-30", "no day"),
        ("2026-03-03,buy,AAPL,1,1,1,0,USD", "date", "2026-03-03", "after today, 2026-03-02"),
        (",buy,AAPL,1,1,1,0,USD", "date", "", "day is missing"),
        ("2024-01-02,,AAPL,1,1,1,0,USD", "type", "", "no known kind"),
        ("2024-01-02,매수취소,AAPL,1,1,1,0,USD", "type", "매수취소", "no known kind"),
        ("2024-01-02,buy,애플,1,1,1,0,USD", "symbol", "애플", "no symbol"),
        ("2024-01-02,buy,AAPL,1e999,1,1,0,USD", "quantity", "1e999", "no number"),
        ("2024-01-02,buy,AAPL,NaN,1,1,0,USD", "quantity", "NaN", "no number"),
        ("2024-01-02,buy,AAPL,9223372036854775808,1,,0,USD", "quantity", "", "must be"),
        ("2024-01-02,buy,AAPL,,1,1,0,USD", "quantity", "", "quantity is missing; BUY needs it"),
        ("2024-01-02,buy,AAPL,1,1,5,0,USD", "amount", "5", "quantity times price is 1.00"),
        ("2024-01-02,buy,AAPL,1,1,1,0.001,USD", "fee", "0.001", "at most 2 decimals"),
        ("2024-01-02,buy,BAS,1,1,1,0,EUR", "currency", "EUR", "EUR is not supported"),
        ("2024-01-02,deposit,,,,=cmd|' /C calc'!A0,,KRW", "amount", "=cmd", "no number"),
        ("2024-01-02,deposit,,,,,,KRW", "amount", "", "amount is missing"),
    ],
)
def test_a_bad_row_is_located_and_the_others_are_read(line, column, value, words):
    found = read(f"{HEAD}2024-01-01,deposit,,,,5,,KRW\n{line}\n2024-01-03,deposit,,,,6,,KRW\n")
    assert [row.line for row in found.rows] == [2, 4]
    [fault] = found.faults
    assert (fault.line, fault.column) == (3, column)
    assert fault.value.startswith(value)
    assert words in str(fault.reason)
