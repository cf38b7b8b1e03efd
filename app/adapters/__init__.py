"""Everything outside the process, one file per system."""

import sys

# httpx takes its command line along where it finds rich: 6 MB in each process. It goes without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
