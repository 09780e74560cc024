"""Words for messages."""

import difflib
from collections.abc import Iterable


def near_misses(word: str, choices: Iterable[str]) -> str:
    """`; did you mean X?`, or the choices when none is near and they are few, or nothing."""
    choices = sorted(choices)
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; choose from {', '.join(choices)}" if len(choices) <= 20 else ""
