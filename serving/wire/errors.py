"""What a request is answered when it is refused: a canonical code and the text that its client reads."""

import grpc
import tensorflow as tf

Code = grpc.StatusCode

HTTP_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
}
"""TF Serving's mapping of codes to HTTP; every other code is 500."""

MAX_GRPC_MESSAGE = 1024
"""Characters of a message that gRPC carries in a header; TF Serving cuts there too."""

_BY_NUMBER = {code.value[0]: code for code in Code}


class ServingError(Exception):
    """A request, a model or a configuration is refused.

    Args:
        code: the canonical code.
        message: one line, in TF Serving's words where it has them.
    """

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The status of an HTTP response with this error."""
        return HTTP_STATUS.get(self.code, 500)

    @property
    def grpc_message(self) -> str:
        """The message, cut to what fits gRPC's trailing header."""
        cut = len(self.message) > MAX_GRPC_MESSAGE
        return self.message[:MAX_GRPC_MESSAGE] + "...TRUNCATED" if cut else self.message

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"


def invalid(message: str) -> ServingError:
    """INVALID_ARGUMENT, by far the most frequent refusal."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def from_tensorflow(error: tf.errors.OpError) -> ServingError:
    """What a model raised while it ran, with its own code and text."""
    return ServingError(_BY_NUMBER.get(error.error_code, Code.UNKNOWN), error.message)


def from_loading(error: Exception) -> ServingError:
    """Why a SavedModel could not be loaded or warmed."""
    if isinstance(error, ServingError):
        return error
    if isinstance(error, tf.errors.OpError):
        return from_tensorflow(error)
    return ServingError(Code.NOT_FOUND if isinstance(error, OSError) else Code.UNKNOWN, str(error))
