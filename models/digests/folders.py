"""A digest of a folder, so that what was measured of its content is known again."""

import hashlib

import tensorflow as tf

CHUNK_BYTES = 2**22
"""Read of a file at a time."""


def tree_digest(folder: str) -> str:
    """Digests what is in a folder: names below it and contents, on any file system that TensorFlow knows.

    Returns:
        32 hexadecimal digits; of a folder that is not there, those of an empty one.
    """
    digest, start = hashlib.blake2b(digest_size=16), folder.rstrip("/")
    files = sorted(tf.io.gfile.join(place, name) for place, _, names in tf.io.gfile.walk(start) for name in names)
    for path in files:
        content = hashlib.blake2b(digest_size=16)
        with tf.io.gfile.GFile(path, "rb") as file:
            while part := file.read(CHUNK_BYTES):
                content.update(part)
        digest.update(f"{path.removeprefix(start).strip('/')}\0{content.hexdigest()}\0".encode())
    return digest.hexdigest()
