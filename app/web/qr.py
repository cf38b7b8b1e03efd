"""QR codes as the path of an SVG: no inline style, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, groupby

import segno


@dataclass(frozen=True)
class Picture:
    """`path` draws the dark modules in a square of `size` units, the quiet zone of four within."""

    size: int
    path: str


def draw_qr(text: str) -> Picture:
    """The QR code of a text that an authenticator reads."""
    rows = list(segno.make_qr(text, error="m").matrix_iter(border=4))
    return Picture(len(rows), "".join(_draw_row(y, row) for y, row in enumerate(rows)))


def _draw_row(y: int, row: Iterable[int]) -> str:
    """The runs of dark modules of one row, each a rectangle of height 1."""
    runs = [(bool(bit), len(list(run))) for bit, run in groupby(row)]
    ends = accumulate(length for _, length in runs)
    return "".join(
        f"M{end - length} {y}h{length}v1H{end - length}z"
        for (dark, length), end in zip(runs, ends, strict=True)
        if dark
    )
