"""Backtests: the engine against an event loop in plain Python, and what it says about itself."""
