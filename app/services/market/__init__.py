"""What is traded: instruments, calendars, and the stored prices as they are read."""
