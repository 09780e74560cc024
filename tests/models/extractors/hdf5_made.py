"""SqueezeNet with weights that are drawn at random, in the layout of the published file."""

import hashlib
from pathlib import Path

import h5py
import keras

from models.extractors.squeezenet import squeezenet


def drawn(seed: int = 0) -> keras.Model:
    """The network, of random weights."""
    keras.utils.set_random_seed(seed)
    made: keras.Model = squeezenet()
    return made


def write(network: keras.Model, path: Path) -> str:
    """Writes its weights; returns the SHA-256 of the file."""
    with h5py.File(path, "w") as file:
        for layer in network.layers:
            name = layer.name.replace("_", "/")
            for part, values in zip("Wb", layer.get_weights(), strict=False):
                file[f"{name}/{name}_{part}:0"] = values
    return hashlib.sha256(path.read_bytes()).hexdigest()
