"""Tests of app/services/records."""
