"""Backtests as jobs: asked for, computed in parts, stored, repeated."""
