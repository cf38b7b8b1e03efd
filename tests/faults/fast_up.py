"""`python -m tests.faults.fast_up`: `sise up` whose minutes are seconds and that restarts at once.

With the name of a queue, its worker is left out.
"""

from __future__ import annotations

import sys

import app.children
from app.children import Program
from app.config import load_settings
from app.supervisor import PROGRAMS, Supervisor

app.children.LONGEST_DELAY = 0.5  # twenty deaths in a minute are no reason to wait here


def main(left_out: list[str]) -> int:
    fast = tuple(
        Program(p.name, (sys.executable, "-m", "tests.faults.worker_process", p.command[-1]))
        if "work" in p.command
        else p
        for p in PROGRAMS
        if p.command[-1] not in left_out
    )
    return Supervisor(load_settings(), lambda line: print(line, flush=True), programs=fast).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
