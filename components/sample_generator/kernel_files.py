"""Kernels that people give beside a blurred picture, read from a picture or from numbers."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from models.export.interface import Signature

NUMBERS = (".csv", ".txt")
"""Files of a row a line, its numbers apart by commas or blanks; those in .npy are NumPy's, any other is a picture."""


def beside(asked: Signature, file: Path | None, model: str) -> dict[str, np.ndarray]:
    """What a signature takes beside one picture.

    Args:
        asked: the signature.
        file: of the kernel; None where there is none.
        model: its name, for words.

    Returns:
        Its kernel's name -> [1, side, side] float32; nothing where it takes none.

    Raises:
        ValueError: it takes a kernel and there is none, or the other way round; or as `read_kernel`.
    """
    name = asked.taken("kernel")
    if name is None and file:
        raise ValueError(f"{model} is told no kernel: leave --kernel out")
    if name is None:
        return {}
    if file is None:
        raise ValueError(f"{model} is told what a picture was blurred by: give it a kernel by --kernel FILE")
    side = asked.inputs[name].shape[1]
    if side is None:
        raise ValueError(f"a model takes kernels of one side; {model} takes any, and nobody knows how to fill them up")
    return {name: read_kernel(file, side)[np.newaxis]}


def read_kernel(file: Path, side: int) -> np.ndarray:
    """Reads a kernel: what a point of light in the middle becomes.

    Args:
        file: a grey picture, black where nothing comes, or numbers; see NUMBERS. It may hold any sum.
        side: of the kernels that a model takes, odd.

    Returns:
        [side, side] float32 of sum 1, with zeros around what the file holds.

    Raises:
        ValueError: it cannot be read, is no table of numbers from 0 on, is larger, or has no middle; one line.
    """
    try:
        values = _values(file, side)
    except OSError as error:
        raise ValueError(f"the kernel {file} cannot be read: {error.strerror or 'it is no whole picture'}") from None
    if values.ndim != 2 or any(size % 2 == 0 or size > side for size in values.shape):
        raise ValueError(
            f"a kernel has a middle, and no more room than the model's: odd sides of at most {side}; received "
            f"{' x '.join(map(str, values.shape))} of {file}"
        )
    if not np.isfinite(values).all() or values.min() < 0 or not 0 < values.sum() < np.inf:
        raise ValueError(
            f"a kernel has finite values of at least 0, of which some are above; received {values.min():g} to "
            f"{values.max():g} of {file}"
        )
    whole = np.pad(values, [((side - size) // 2,) * 2 for size in values.shape])
    return np.asarray(whole / whole.sum(), np.float32)


def _values(file: Path, side: int) -> np.ndarray:
    """What a file holds, float64."""
    ending = file.suffix.lower()
    try:
        if ending == ".npy":
            held = np.load(file, mmap_mode="r", allow_pickle=False)
            if held.dtype.kind not in "buif":
                raise ValueError(f"its values are {held.dtype}")
            return np.asarray(held, np.float64) if held.size <= side**2 else held
        if ending in NUMBERS:
            text = file.read_text()
            return np.loadtxt(text.replace(",", " ").splitlines(), np.float64, ndmin=2)
    except ValueError as error:
        raise ValueError(f"the kernel {file} is no table of numbers: {str(error).splitlines()[0]}") from None
    try:
        with Image.open(file) as image:
            if max(image.size) > side:  # before it is decoded
                return np.empty(image.size[::-1], np.uint8)
            # 16 bits stay 16 bits; colours become grey
            grey = image if image.mode.startswith(("I", "F")) else image.convert("L")
            return np.asarray(grey, np.float64)
    except (UnidentifiedImageError, SyntaxError):
        raise ValueError(f"a kernel is a picture, .npy or {', '.join(NUMBERS)}; {file} is none of these") from None
