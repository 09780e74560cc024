"""TF Serving's batching parameters file. Its message is in no package, so that it is described here."""

import functools
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory, text_format, wrappers_pb2

_WRAPPED = {
    "max_batch_size": (1, "Int64Value"),
    "batch_timeout_micros": (2, "Int64Value"),
    "max_enqueued_batches": (3, "Int64Value"),
    "num_batch_threads": (4, "Int64Value"),
    "thread_pool_name": (5, "StringValue"),
    "enable_large_batch_splitting": (8, "BoolValue"),
    "max_execution_batch_size": (9, "Int64Value"),
}
"""Fields that are written `name { value: 1 }`."""


@dataclass(frozen=True, kw_only=True)
class BatchingParameters:
    """How requests are put together; the defaults are those of TF Serving's scheduler.

    Args:
        max_batch_size: rows of a request, and of a batch unless large requests are split.
        batch_timeout_micros: a batch that is not full waits this long for more.
        max_enqueued_batches: a queue longer than this refuses.
        num_batch_threads: batches that run at once; 0 for as many as there are cores.
        thread_pool_name: of these threads.
        enable_large_batch_splitting: runs a request in parts of `max_execution_batch_size`.
        max_execution_batch_size: rows of a batch where large requests are split; 0 for `max_batch_size`.
        allowed_batch_sizes: increasing; a batch is padded to the next of them. The last is the size of a full batch.

    Raises:
        ValueError: a value is out of range, or the sizes contradict each other.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 0
    thread_pool_name: str = "batch_threads"
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0
    allowed_batch_sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (
            ("max_batch_size", 1),
            ("batch_timeout_micros", 0),
            ("max_enqueued_batches", 1),
            ("num_batch_threads", 0),
            ("max_execution_batch_size", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}; received {getattr(self, name)}")
        if self.execution_size > self.max_batch_size:
            raise ValueError(
                f"max_execution_batch_size is at most max_batch_size, {self.max_batch_size}; "
                f"received {self.execution_size}"
            )
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[0] < 1):
            raise ValueError(f"allowed_batch_sizes are positive and increasing; received {', '.join(map(str, sizes))}")
        if sizes and sizes[-1] != self.execution_size:
            bound = "max_execution_batch_size" if self.enable_large_batch_splitting else "max_batch_size"
            raise ValueError(
                f"Last entry in allowed_batch_sizes must match {bound}; last entry was {sizes[-1]}; "
                f"expected {self.execution_size}"
            )

    @property
    def execution_size(self) -> int:
        """Rows of a full batch."""
        split = self.enable_large_batch_splitting and self.max_execution_batch_size
        return self.max_execution_batch_size if split else self.max_batch_size

    def padded(self, rows: int) -> int:
        """The rows that a batch of this many is run with."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read(path: Path) -> BatchingParameters:
    """Reads a BatchingParameters text proto.

    Raises:
        ValueError: the file cannot be read, is no such message, or its values contradict each other.
    """
    try:
        parsed = text_format.Parse(path.read_text(), _message_class()())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ValueError(f"{path} is no batching parameters file: {error}") from None
    if parsed.pad_variable_length_inputs:
        raise ValueError(f"{path}: pad_variable_length_inputs is not supported; rows of one length share a batch")
    given = {name: getattr(parsed, name).value for name in _WRAPPED if parsed.HasField(name)}
    if given.get("num_batch_threads") == 0:
        raise ValueError(f"{path}: num_batch_threads must be positive; was 0")
    try:
        return BatchingParameters(**given, allowed_batch_sizes=tuple(parsed.allowed_batch_sizes))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


@functools.cache
def _message_class() -> type[message.Message]:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="batching_parameters.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    described = file.message_type.add(name="BatchingParameters")
    for name, (number, wrapper) in _WRAPPED.items():
        described.field.add(
            name=name,
            number=number,
            label=field.LABEL_OPTIONAL,
            type=field.TYPE_MESSAGE,
            type_name=f".google.protobuf.{wrapper}",
        )
    described.field.add(name="allowed_batch_sizes", number=6, label=field.LABEL_REPEATED, type=field.TYPE_INT64)
    described.field.add(name="pad_variable_length_inputs", number=7, label=field.LABEL_OPTIONAL, type=field.TYPE_BOOL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.BatchingParameters"))
