"""Tests of app/services/market."""
