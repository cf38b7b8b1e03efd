"""Tests of app/services/schedule."""
