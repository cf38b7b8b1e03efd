"""Everything outside the process, one file per system."""
