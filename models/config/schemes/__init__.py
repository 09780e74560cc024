"""The variants of schemes, and what each of them draws of a training's history."""
