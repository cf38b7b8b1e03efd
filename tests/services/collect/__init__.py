"""Tests of app/services/collect."""
