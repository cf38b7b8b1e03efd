"""Prices into the tables: asked for, checked, stored or held back."""
