"""Examples that are the same as others, value by value."""

import hashlib

import numpy as np


def equal_to(examples: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Finds the examples that stand among the others.

    Args:
        examples: [n, ...].
        others: [m, ...] of the same shape and dtype.

    Returns:
        [n] bool.
    """
    known = {_digest(each) for each in others}
    return np.array([_digest(each) in known for each in examples], bool)


def _digest(example: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(example).tobytes(), digest_size=16).digest()
