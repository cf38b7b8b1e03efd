"""Tests of app/services/work."""
