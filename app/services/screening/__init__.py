"""Screening: the newest figures of every instrument in one row each, hits, and saved screens."""
