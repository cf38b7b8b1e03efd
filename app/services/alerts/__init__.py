"""Alerts: rules that watch, what has fired, and how it is delivered."""
