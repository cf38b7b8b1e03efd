"""Tests of app/services/recommend."""
