"""Names as lists show them: without the form of a company, and an index without the word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_FORM: Final = re.compile(
    r"[,\s]+(?:Inc|Incorporated|Corp|Corporation|Co|Company|Ltd|Limited|LLC|PLC|plc|N\.V|S\.A|AG|SE)"
    r"\.?$|\s(?:Composite\s)?Index$|\s(?:종합)?지수$"
)


@lru_cache(maxsize=2048)
def short_name(name: str) -> str:
    """`Samsung Electronics Co., Ltd.` → `Samsung Electronics`; a name of one word stays."""
    short = name.strip()
    while (match := _FORM.search(short)) and match.start() > 0:
        short = short[: match.start()].rstrip(", ")
    return short
