"""A package as a user writes one: waves, a model that continues them, and the scheme that trains it."""
