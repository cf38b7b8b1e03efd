"""Compiled loops (numba): imported by workers and the command line, never by the web process."""
