"""What is due, and how far it is."""
