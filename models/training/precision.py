"""float32 or bfloat16: which this machine is faster at, and how networks are built with it."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf


def resolve(precision: str) -> str:
    """What `auto` means here: bfloat16 where the hardware multiplies it, else float32.

    float16 is no choice: its loss scaling goes wrong across replicas when one of them alone overflows.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return "bfloat16" if capability >= (8, 0) else "float32"
    return "bfloat16" if multiplies_bfloat16() else "float32"


@functools.cache
def multiplies_bfloat16() -> bool:
    """True where this processor has instructions that multiply bfloat16: AMX, or AVX-512 with BF16."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "amx_bf16" in flags or "avx512_bf16" in flags


@contextlib.contextmanager
def scope(precision: str) -> Iterator[None]:
    """Layers built inside compute in this precision and keep float32 weights."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if resolve(precision) == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
