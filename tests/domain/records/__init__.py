"""Tests of transactions as files."""
