"""Tests of `app/domain/correlation/`."""
