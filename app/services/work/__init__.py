"""Jobs as PostgreSQL knows them, and what every process is told."""
