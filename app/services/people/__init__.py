"""Somebody: accounts, ways to sign in, tokens, and letters."""
