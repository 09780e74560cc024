"""Reads tensors out of files that `torch.save` wrote, without torch and without unpickling.

A pickle is a program, and `pickle.load` runs whatever it names. Here its opcodes are read by a machine that knows the
few that a table of tensors needs; a name in the file stays a name, and one that is not expected is an error.
"""

import io
import math
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a file in the older format, which is five pickles and then the numbers."""

TYPES = {
    "torch FloatStorage": "<f4",
    "torch HalfStorage": "<f2",
    "torch DoubleStorage": "<f8",
    "torch LongStorage": "<i8",
    "torch IntStorage": "<i4",
    "torch ByteStorage": "<u1",
}
TABLE, TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"

CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
ARGUMENTS = ("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1")
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()

BROKEN = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zipfile.BadZipFile,
)
"""What a damaged file can raise wherever it is read."""


class _Name(NamedTuple):
    """What a pickle would import; here a word."""

    name: str


class _Storage(NamedTuple):
    """Numbers that lie elsewhere in the file."""

    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name.

    Args:
        content: of a file of `torch.save`, in the older format or in that of torch 1.6 and later, which is a ZIP.

    Returns:
        Arrays of their own memory, in the order of the file.

    Raises:
        ValueError: the file is no such file, is cut short, or names anything but tensors. One line.
    """
    try:
        if content[:2] == b"PK":
            return _read_zip(content)
        return _read_legacy(io.BytesIO(content))
    except BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"weights are a state dict that torch.save wrote: {reason}") from None


def _read_legacy(stream: io.BytesIO) -> dict[str, np.ndarray]:
    if (magic := _run(stream)) != MAGIC:
        raise ValueError(f"the file begins with the number {MAGIC:#x}; received {magic!r}")
    _run(stream)  # the version
    if not _run(stream).get("little_endian"):
        raise ValueError("numbers are read in little-endian order; the file has another")
    table, keys = _run(stream), _run(stream)
    of_key = {each.storage.key: each.storage for each in _tensors(table).values()}
    numbers = {}
    for key in keys:
        (count,) = struct.unpack("<q", stream.read(8))
        storage = of_key[key]
        if count != storage.length:
            raise ValueError(f"storage {key} has {storage.length} numbers; received {count}")
        numbers[key] = _numbers(stream.read(count * np.dtype(storage.dtype).itemsize), storage)
    return _arrays(table, numbers)


def _read_zip(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = next((name[: -len("data.pkl")] for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if root is None:
            raise ValueError("the ZIP holds a data.pkl; it has none")
        table = _run(io.BytesIO(_member(archive, f"{root}data.pkl")))
        storages = {each.storage.key: each.storage for each in _tensors(table).values()}
        numbers = {key: _numbers(_member(archive, f"{root}data/{key}"), storage) for key, storage in storages.items()}
    return _arrays(table, numbers)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a member, which torch never compresses: a bomb would be."""
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"members of the ZIP are stored; {name} is compressed")
    return archive.read(name)


def _tensors(table: Any) -> dict[str, _Tensor]:
    if not isinstance(table, dict):
        raise ValueError(f"the file holds a table of tensors; received {type(table).__name__}")
    return {name: each for name, each in table.items() if isinstance(each, _Tensor)}


def _numbers(content: bytes, storage: _Storage) -> np.ndarray:
    needed = storage.length * np.dtype(storage.dtype).itemsize
    if len(content) != needed:
        raise ValueError(f"storage {storage.key} has {needed} bytes; received {len(content)}")
    return np.frombuffer(content, storage.dtype)


def _arrays(table: Any, numbers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays = {}
    for name, (storage, offset, shape, strides) in _tensors(table).items():
        values = numbers[storage.key]
        sizes = [offset, *shape, *strides]
        if len(shape) != len(strides) or not all(isinstance(each, int) and each >= 0 for each in sizes):
            raise ValueError(f"{name} has an offset and as many strides as sides; received {sizes}")
        last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
        count = math.prod(int(side) for side in shape)
        if count > len(values) or (count and last >= len(values)):
            raise ValueError(f"{name} reaches beyond its storage of {len(values)} numbers")
        steps = [stride * values.itemsize for stride in strides]
        arrays[name] = np.lib.stride_tricks.as_strided(values[offset:], shape, steps).copy()
    return arrays


def _run(stream: io.BytesIO) -> Any:
    """What the next pickle of a stream describes."""
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "STOP":
            return machine.stack.pop()
        machine.step(opcode.name, argument)
    raise ValueError("a pickle ends with STOP")


class _Machine:
    """Follows opcodes; makes tables, tuples, numbers, words, tensors and nothing else."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """One opcode. Raises ValueError for one that a table of tensors does not need."""
        if name in CONSTANTS:
            self.stack.append(CONSTANTS[name]())
        elif name in ARGUMENTS:
            self.stack.append(argument)
        elif name in TUPLES:
            self.stack.append(tuple(self._top(TUPLES[name])))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self._memo[argument])
        elif method := OPCODES.get(name):
            method(self, argument)
        else:
            raise ValueError(f"a table of tensors needs no opcode {name}")

    def mark(self, _: None) -> None:
        """Where the next items begin."""
        self.stack.append(MARK)

    def take_tuple(self, _: None) -> None:
        """A tuple of the items since the mark."""
        self.stack.append(tuple(self._marked()))

    def append(self, _: None) -> None:
        """Appends an item to a list."""
        (item,) = self._top(1)
        self.stack[-1].append(item)

    def appends(self, _: None) -> None:
        """Appends the items since the mark to a list."""
        items = self._marked()
        self.stack[-1].extend(items)

    def set_item(self, _: None) -> None:
        """Sets a key of a table."""
        self._set(self._top(2))

    def set_items(self, _: None) -> None:
        """Sets all keys since the mark."""
        self._set(self._marked())

    def name(self, argument: str) -> None:
        """What a pickle would import."""
        self.stack.append(_Name(argument))

    def reduce(self, _: None) -> None:
        """What a pickle would call: a table is empty, a tensor is a view of a storage, all else is refused."""
        called, given = self._top(2)
        if called == _Name(TABLE) and given == ():
            self.stack.append({})
        elif called == _Name(TENSOR) and isinstance(given, tuple) and isinstance(given[0], _Storage):
            self.stack.append(_Tensor(*given[:4]))
        else:
            raise ValueError(f"a table of tensors calls nothing; received {getattr(called, 'name', called)}")

    def build(self, _: None) -> None:
        """Attributes of a table, such as its versions, are dropped."""
        self.stack.pop()

    def storage(self, _: None) -> None:
        """What is named by a tuple of its kind, type, key, device and count."""
        kind, dtype, key, _, count = self.stack.pop()[:5]
        if kind != "storage" or not isinstance(dtype, _Name) or dtype.name not in TYPES:
            raise ValueError(f"a tensor's numbers are of a type among {', '.join(TYPES)}; received {dtype}")
        self.stack.append(_Storage(TYPES[dtype.name], key, count))

    def _top(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError("the pickle takes more from its stack than it put there")
        top = self.stack[-count:]
        del self.stack[-count:]
        return top

    def _marked(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is MARK:
                items = self.stack[index + 1 :]
                del self.stack[index:]
                return items
        raise ValueError("the pickle takes more from its stack than it put there")

    def _set(self, items: list[Any]) -> None:
        table = self.stack[-1]
        if not isinstance(table, dict):
            raise ValueError(f"items are set in a table; received {type(table).__name__}")
        table.update(zip(items[::2], items[1::2], strict=True))


OPCODES: Mapping[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, argument: None,
    "MARK": _Machine.mark,
    "TUPLE": _Machine.take_tuple,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.name,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.storage,
}
