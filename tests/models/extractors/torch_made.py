"""Files as `torch.save` writes them, made without torch, for tests."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np

from models.extractors.torch_files import MAGIC


class FloatStorage:
    """Numbers that go into the file beside the pickle."""


class Rebuilt:
    """A tensor, as torch describes one."""

    def __init__(self, key, array, strides=None, offset=0):
        strides = strides or tuple(each // array.itemsize for each in array.strides)
        self.given = (Saved(key, array.size), offset, array.shape, strides, False, OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.given


class Saved:
    def __init__(self, key, count):
        self.key, self.count = key, count


def _rebuild_tensor_v2(*given):
    raise AssertionError("nothing of a file is run")


class Pickler(pickle.Pickler):
    """Names things as torch's own modules would."""

    def persistent_id(self, each):
        return ("storage", FloatStorage, each.key, "cpu", each.count, None) if isinstance(each, Saved) else None


def pickled(each) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, 2).dump(each)
    here = __name__.encode()
    return (
        buffer.getvalue()
        .replace(b"c" + here + b"\nFloatStorage\n", b"ctorch\nFloatStorage\n")
        .replace(b"c" + here + b"\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_tensor_v2\n")
    )


def table(arrays) -> OrderedDict:
    return OrderedDict((name, Rebuilt(str(number), each)) for number, (name, each) in enumerate(arrays.items()))


def legacy(arrays, described=None, *, little=True) -> bytes:
    """The older format: five pickles, then the numbers."""
    info = {"protocol_version": 1001, "little_endian": little, "type_sizes": {"short": 2}}
    keys = [str(number) for number in range(len(arrays))]
    parts = [pickled(each) for each in (MAGIC, 1001, info, table(arrays) if described is None else described, keys)]
    for each in arrays.values():
        parts += [struct.pack("<q", each.size), _memory(each)]
    return b"".join(parts)


def zipped(arrays, compression=zipfile.ZIP_STORED) -> bytes:
    """The format since torch 1.6."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("model/data.pkl", pickled(table(arrays)))
        for number, each in enumerate(arrays.values()):
            archive.writestr(f"model/data/{number}", _memory(each))
    return buffer.getvalue()


def _memory(array: np.ndarray) -> bytes:
    """Its numbers in the order in which they lie in memory."""
    return array.tobytes("A") if array.flags.c_contiguous else array.T.tobytes()
