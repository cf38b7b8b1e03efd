"""Tests of app/services/alerts."""
