"""Tests of app/services/backtest."""
