"""Recommendations: each part on seeded panels, against definitions written out plainly."""
