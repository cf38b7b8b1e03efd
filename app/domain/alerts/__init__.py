"""Alerts: what a rule says, when it fires, and when somebody is told."""
