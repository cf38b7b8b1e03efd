"""arq workers: what runs on schedule, outside the web process."""
