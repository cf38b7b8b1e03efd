"""What moves together, and what moves first: returns of several instruments side by side."""
