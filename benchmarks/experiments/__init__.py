"""What the listed experiments reach: by whole runs of the pipeline, and beside what needs no network."""
