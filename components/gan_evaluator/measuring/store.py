"""Measurements that outlive the run which made them."""

import hashlib
import io
import json
import logging
import zipfile
import zlib
from typing import Any

import numpy as np
import tensorflow as tf

from components.gan_evaluator.measuring.measurements import Measurements
from components.gan_evaluator.measuring.pictures import Pictures
from models.files import CannotWrite, writing

FORMAT = 1
"""Counted up when what is kept changes its form."""

FIGURES, PICTURES = "measurements.json", "pictures.npz"

_log = logging.getLogger(__name__)


class Store:
    """A folder of measurements, which any machine of a run reaches: `ROOT/KEY/`.

    Pictures are written first and the figures, with a digest of both, last and at once. So what a stopped run leaves is
    whole or does not count.

    Args:
        root: the folder; it is made when something is kept. A path or a bucket's URL.
        source: digest of the code that measures, part of every key.
    """

    def __init__(self, root: str, source: str):
        self._root, self._source = root.rstrip("/"), source

    def key(self, **parts: Any) -> str:
        """Where measurements of these inputs stand: plain values and digests that together decide the figures."""
        versions = {"tensorflow": tf.__version__, "numpy": np.__version__}
        tree = {"format": FORMAT, "source": self._source, "versions": versions, **parts}
        return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:32]

    def get(self, key: str) -> Measurements | None:
        """What is kept under a key; None where there is nothing, or what cannot be used, which the log then tells."""
        path = f"{self._root}/{key}/{FIGURES}"
        try:
            if not tf.io.gfile.exists(path):
                return None
            return self._read(key, json.loads(_read(path)))
        except (OSError, tf.errors.OpError, ValueError, KeyError, TypeError, AttributeError) as error:
            _refuse(path, error)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            _refuse(path, error)
        return None

    def put(self, key: str, measured: Measurements) -> None:
        """Keeps measurements. Where they cannot be kept, the log says why, and a later judgement measures again."""
        place = f"{self._root}/{key}"
        body = {"format": FORMAT, "key": key, "measured": measured.to_tree(), "pictures": None}
        try:
            with writing(place):
                tf.io.gfile.makedirs(place)
                if measured.pictures is not None:
                    content = _packed(measured.pictures)
                    body["pictures"] = hashlib.sha256(content).hexdigest()
                    _replace(f"{place}/{PICTURES}", content)
                text = json.dumps(body | {"digest": _digest(body)}, indent=1, allow_nan=False)
                _replace(f"{place}/{FIGURES}", text.encode())
        except CannotWrite as error:
            _log.warning("%s: these measurements are not kept, and a changed threshold will measure again", error)

    def _read(self, key: str, tree: dict[str, Any]) -> Measurements:
        if tree["format"] != FORMAT:
            raise ValueError(f"it is of format {tree['format']}, and this ganworks reads format {FORMAT}")
        body = {name: tree[name] for name in ("format", "key", "measured", "pictures")}
        if tree["key"] != key or tree["digest"] != _digest(body):
            raise ValueError("it is not what was written")
        pictures = None
        if tree["pictures"] is not None:
            content = _read(f"{self._root}/{key}/{PICTURES}")
            if hashlib.sha256(content).hexdigest() != tree["pictures"]:
                raise ValueError(f"{PICTURES} beside it is not what was written")
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                pictures = Pictures.of(dict(arrays))
        return Measurements.of(tree["measured"], pictures)


def _refuse(path: str, error: Exception) -> None:
    _log.warning("%s cannot be used, and its examples are measured again: %s", path, str(error).partition("\n")[0])


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _packed(pictures: Pictures) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **pictures.arrays())  # type: ignore[arg-type]
    return buffer.getvalue()


def _read(path: str) -> bytes:
    with tf.io.gfile.GFile(path, "rb") as file:
        return bytes(file.read())


def _replace(path: str, content: bytes) -> None:
    """Writes a file under another name, and gives it its own when it is whole."""
    unfinished = f"{path}.unfinished"
    with tf.io.gfile.GFile(unfinished, "wb") as file:
        file.write(content)
    tf.io.gfile.rename(unfinished, path, overwrite=True)
