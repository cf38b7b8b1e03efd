"""Tests of app/services/trading."""
