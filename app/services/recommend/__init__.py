"""Recommendations: issued, sealed, scored, shown."""
