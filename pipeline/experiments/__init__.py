"""The named experiments, a file a family; those of files; and what they reached."""
