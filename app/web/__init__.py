"""Pages and plain routes."""
