"""Asks a SavedModel about a file in a process of its own: `python answering.py MODEL FILE OUT`.

Writes the mebibytes of resident memory that it took at most, and the seconds of the answer.
"""

import re
import sys
import time
from pathlib import Path

import tensorflow as tf


def main(model: str, file: str, out: str) -> None:
    serve = tf.saved_model.load(model).signatures["from_bytes"]
    content = tf.constant([Path(file).read_bytes()])
    began = time.monotonic()
    made = serve(image_bytes=content)["image_bytes"].numpy()[0]
    took = time.monotonic() - began
    Path(out).write_bytes(made)
    # of this process alone, where `getrusage` may tell that of the one that started it
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    sys.stdout.write(f"{int(peak[1]) // 1024} {took:.1f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
