"""Tests of app/services/feed."""
