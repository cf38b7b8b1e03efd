"""Tests of app/services/signals."""
