"""Examples: what Transform makes of them, how they are held in memory or paged from a file, and drawn in batches."""
