"""Digests of code and of folders, by which caches, checkpoints and measurements know what they were made of."""
