"""Tests of what entries amount to."""
