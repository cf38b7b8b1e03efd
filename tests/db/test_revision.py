"""The newest revision as the files tell it is the one that Alembic finds."""

from __future__ import annotations

import sys
from subprocess import run

from app.db.migrate import head_revision
from app.db.revision import newest_revision


def test_the_newest_revision_is_alembics_head():
    assert newest_revision() == head_revision()


def test_reading_it_does_not_load_alembic():
    code = (
        "import sys; from app.db.revision import newest_revision; newest_revision();"
        "print('alembic' in sys.modules)"
    )
    found = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
