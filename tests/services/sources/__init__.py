"""Tests of app/services/sources."""
