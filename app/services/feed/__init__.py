"""Live quotes: from a tick to its readers."""
