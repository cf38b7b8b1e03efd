"""The picture has every module of the code, and nothing beside them."""

from __future__ import annotations

import re

import segno

from app.web.qr import draw_qr

TEXT = "otpauth://totp/Sise:alice?secret=JBSWY3DPEHPK3PXP&issuer=Sise"


def test_the_rectangles_cover_the_dark_modules_exactly():
    picture = draw_qr(TEXT)
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1H\1z", picture.path):
        cells = {(int(x) + i, int(y)) for i in range(int(width))}
        assert not cells & dark
        dark |= cells
    rows = list(segno.make_qr(TEXT, error="m").matrix_iter(border=4))
    assert dark == {(x, y) for y, row in enumerate(rows) for x, bit in enumerate(row) if bit}
    assert picture.size == len(rows)


def test_around_it_four_modules_are_light():
    picture = draw_qr(TEXT)
    columns = [int(x) for x in re.findall(r"M(\d+) ", picture.path)]
    assert min(columns) == 4
    assert picture.path.startswith("M4 4h7v1H4z")  # the finder pattern's upper edge
