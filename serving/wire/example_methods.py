"""What makes a signature a classifier or a regressor, and how its tensors become the answers of both."""

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import input_pb2
from tensorflow_serving.apis.classification_pb2 import ClassificationResult as ClassificationResult
from tensorflow_serving.apis.regression_pb2 import RegressionResult as RegressionResult

from serving.wire.errors import Code, ServingError, invalid

INPUTS, OUTPUTS, CLASSES, SCORES = "inputs", "outputs", "classes", "scores"
"""The aliases that TensorFlow gives the tensors of such signatures."""

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
"""Method names of signatures, and of the tasks of a MultiInference."""


def examples(given: input_pb2.Input) -> np.ndarray:
    """The serialized tf.Examples of a request, [rows] of bytes; a shared context is merged into each.

    Raises:
        ServingError: INVALID_ARGUMENT, there are none.
    """
    if given.WhichOneof("kind") == "example_list_with_context":
        # protobuf messages merge by concatenation
        context = given.example_list_with_context.context.SerializeToString()
        rows = [context + each.SerializeToString() for each in given.example_list_with_context.examples]
    else:
        rows = [each.SerializeToString() for each in given.example_list.examples]
    if not rows:
        raise invalid("Input is empty.")
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def check_classifier(signature: meta_graph_pb2.SignatureDef) -> None:
    """Raises ServingError, UNIMPLEMENTED, where a signature cannot classify.

    As TF Serving does by default, the form decides and not the method name, which every model of TensorFlow 2 has as
    `predict`.
    """
    _check_one_input(signature, "classification")
    if len(signature.outputs) not in (1, 2):
        raise _unfit(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if not {CLASSES, SCORES} & set(signature.outputs):
        raise _unfit(
            f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}". '
            f"Signature was: {signature}"
        )


def check_regressor(signature: meta_graph_pb2.SignatureDef) -> None:
    """Raises ServingError, UNIMPLEMENTED, where a signature cannot regress; its form decides."""
    _check_one_input(signature, "regression")
    if len(signature.outputs) != 1:
        raise _unfit("Expected one output Tensor.")
    if OUTPUTS not in signature.outputs:
        raise _unfit(f"No regression outputs found in SignatureDef: {signature}")


def _check_one_input(signature: meta_graph_pb2.SignatureDef, kind: str) -> None:
    if len(signature.inputs) != 1:
        raise _unfit("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise _unfit(f"No {kind} inputs found in SignatureDef: {signature}")


def _unfit(message: str) -> ServingError:
    return ServingError(Code.UNIMPLEMENTED, message)


def classification(outputs: dict[str, np.ndarray], rows: int) -> ClassificationResult:
    """Outputs of a classifier as its answer.

    Args:
        outputs: `classes` [rows, classes] of bytes, `scores` [rows, classes] float32, or one of them.
        rows: how many examples were asked about.

    Raises:
        ServingError: INVALID_ARGUMENT, the model gave something else.
    """
    width = _width(outputs, rows)
    result = ClassificationResult()
    for row in range(rows):
        classes = result.classifications.add().classes
        for place in range(width):
            one = classes.add()
            if CLASSES in outputs:
                one.label = _text(outputs[CLASSES][row, place])
            if SCORES in outputs:
                one.score = outputs[SCORES][row, place]
    return result


def _width(outputs: dict[str, np.ndarray], rows: int) -> int:
    """How many classes the outputs have; raises ServingError where they contradict the request or each other."""
    for name, dtype, called in ((CLASSES, object, "DT_STRING"), (SCORES, np.float32, "DT_FLOAT")):
        if name not in outputs:
            continue
        array = outputs[name]
        if array.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(array)}")
        if array.dtype != dtype:
            raise invalid(f"Expected {name} Tensor of {called}. Got: {array.dtype}")
        if len(array) != rows:
            raise invalid(f"Expected {name} output batch size of {rows}. Got: {len(array)}")
    widths = {array.shape[1] for array in outputs.values()}
    if len(widths) > 1:
        raise invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{outputs[CLASSES].shape[1]} vs. {outputs[SCORES].shape[1]}"
        )
    return widths.pop()


def regression(values: np.ndarray, rows: int) -> RegressionResult:
    """The output of a regressor, float32 [rows] or [rows, 1], as its answer.

    Raises:
        ServingError: INVALID_ARGUMENT, the model gave something else.
    """
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got " + _shape(values)
        )
    if len(values) != rows:
        raise invalid(f"Input batch size did not match output batch size: {rows} vs. {len(values)}")
    if values.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {values.dtype}")
    result = RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add().value = value
    return result


def _text(label: bytes) -> str:
    try:
        return label.decode()
    except UnicodeDecodeError:
        raise invalid("a class label that is not UTF-8 cannot be sent") from None


def _shape(array: np.ndarray) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"
