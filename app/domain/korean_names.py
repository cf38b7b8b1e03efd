"""Korean names of well-known instruments: what a price source gives in English alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KOREAN_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Korea Exchange, KOSPI market
        "005930.KS": "삼성전자",
        "005935.KS": "삼성전자우",
        "000660.KS": "SK하이닉스",
        "035420.KS": "NAVER",
        "035720.KS": "카카오",
        "373220.KS": "LG에너지솔루션",
        "207940.KS": "삼성바이오로직스",
        "005380.KS": "현대차",
        "000270.KS": "기아",
        "068270.KS": "셀트리온",
        "105560.KS": "KB금융",
        "055550.KS": "신한지주",
        "086790.KS": "하나금융지주",
        "316140.KS": "우리금융지주",
        "005490.KS": "POSCO홀딩스",
        "006400.KS": "삼성SDI",
        "051910.KS": "LG화학",
        "012330.KS": "현대모비스",
        "028260.KS": "삼성물산",
        "066570.KS": "LG전자",
        "032830.KS": "삼성생명",
        "012450.KS": "한화에어로스페이스",
        "015760.KS": "한국전력",
        "017670.KS": "SK텔레콤",
        "030200.KS": "KT",
        "033780.KS": "KT&G",
        "096770.KS": "SK이노베이션",
        "034730.KS": "SK",
        "003550.KS": "LG",
        "009150.KS": "삼성전기",
        "010130.KS": "고려아연",
        "323410.KS": "카카오뱅크",
        "259960.KS": "크래프톤",
        # Korea Exchange, KOSDAQ market
        "247540.KQ": "에코프로비엠",
        "086520.KQ": "에코프로",
        "196170.KQ": "알테오젠",
        # funds and indices
        "069500.KS": "KODEX 200",
        "^KS11": "코스피",
        "^KQ11": "코스닥",
        "^GSPC": "S&P 500",
        "^IXIC": "나스닥 종합",
        "^DJI": "다우존스 산업평균",
        "USDKRW=X": "미국 달러/원",
        # United States
        "AAPL": "애플",
        "NVDA": "엔비디아",
        "TSLA": "테슬라",
        "MSFT": "마이크로소프트",
        "AMZN": "아마존",
        "GOOG": "구글",
        "GOOGL": "알파벳 A",
        "META": "메타",
        "FB": "페이스북",
        "IBM": "IBM",
        "AVGO": "브로드컴",
        "AMD": "AMD",
        "INTC": "인텔",
        "NFLX": "넷플릭스",
        "KO": "코카콜라",
        "DIS": "월트 디즈니",
        "NKE": "나이키",
        "SBUX": "스타벅스",
        "MCD": "맥도날드",
        "BA": "보잉",
        "JNJ": "존슨앤드존슨",
        "PFE": "화이자",
        "V": "비자",
        "MA": "마스터카드",
        "JPM": "JP모건 체이스",
        "SPY": "SPDR S&P 500 ETF",
    }
)


def find_korean_name(symbol: str) -> str | None:
    """The name as it is written in Korea, None for an instrument that is not in the table."""
    return KOREAN_NAMES.get(symbol)
