"""Tests of app/services/portfolio."""
