"""An experiment for a user's own images: looking at them, choosing what fits, writing it with its reasons."""
