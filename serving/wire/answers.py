"""The answer of a loaded model to each request message; what gRPC, REST and the warm-up have in common."""

from dataclasses import dataclass

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_log_pb2,
    regression_pb2,
)

from serving.servable import DEFAULT_SIGNATURE, Servable, Signature
from serving.wire import example_methods, tensors
from serving.wire.errors import Code, ServingError, invalid

METADATA_FIELD = "signature_def"


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    Args:
        max_message_bytes: of a request, and of any tensor that it describes.
        max_batch_rows: of a request.
        tensor_content: answers in `tensor_content` instead of TensorProto's typed fields.
    """

    max_message_bytes: int = 64 * 2**20
    max_batch_rows: int = 1000
    tensor_content: bool = False


def predict(servable: Servable, request: predict_pb2.PredictRequest, limits: Limits) -> predict_pb2.PredictResponse:
    """Runs the signature of a Predict request. Raises ServingError as `Servable.predict` does."""
    signature = signature_name(request.model_spec)
    inputs = {alias: tensors.decode(proto, alias, limits.max_message_bytes) for alias, proto in request.inputs.items()}
    outputs = servable.predict(signature, inputs, list(request.output_filter))
    response = predict_pb2.PredictResponse()
    _echo(response.model_spec, servable, signature)
    for alias, array in outputs.items():
        tensors.encode(array, response.outputs[alias], as_content=limits.tensor_content)
    return response


def classification(
    servable: Servable, request: classification_pb2.ClassificationRequest
) -> classification_pb2.ClassificationResponse:
    """Classifies the examples of a request.

    Raises:
        ServingError: INVALID_ARGUMENT, no such signature or no examples; UNIMPLEMENTED, it is no classifier.
    """
    signature = _named(servable, request.model_spec)
    example_methods.check_classifier(signature)
    response = classification_pb2.ClassificationResponse()
    response.result.CopyFrom(servable.classify(signature, example_methods.examples(request.input)))
    _echo(response.model_spec, servable, signature_name(request.model_spec))
    return response


def regression(servable: Servable, request: regression_pb2.RegressionRequest) -> regression_pb2.RegressionResponse:
    """Regresses the examples of a request; raises as `classification` does."""
    signature = _named(servable, request.model_spec)
    example_methods.check_regressor(signature)
    response = regression_pb2.RegressionResponse()
    response.result.CopyFrom(servable.regress(signature, example_methods.examples(request.input)))
    _echo(response.model_spec, servable, signature_name(request.model_spec))
    return response


def multi_inference(
    servable: Servable, request: inference_pb2.MultiInferenceRequest
) -> inference_pb2.MultiInferenceResponse:
    """Runs several classifiers and regressors of one model on the same examples.

    Raises:
        ServingError: INVALID_ARGUMENT, tasks that contradict each other or name no signature; UNIMPLEMENTED, a task of
            another kind than its signature.
    """
    names = [task.model_spec.name for task in request.tasks]
    if "" in names:
        raise invalid("Found ModelSpec with an empty model name.")
    if len(set(names)) > 1:
        raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    signatures = {}
    for task in request.tasks:
        name = signature_name(task.model_spec)
        if name in signatures:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        signatures[name] = servable.signatures[name]
        if task.method_name == example_methods.CLASSIFY:
            example_methods.check_classifier(signatures[name])
        elif task.method_name == example_methods.REGRESS:
            example_methods.check_regressor(signatures[name])
        else:
            raise ServingError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
    examples = example_methods.examples(request.input)
    response = inference_pb2.MultiInferenceResponse()
    for task, (name, signature) in zip(request.tasks, signatures.items(), strict=True):
        result = response.results.add()
        _echo(result.model_spec, servable, name)
        if task.method_name == example_methods.CLASSIFY:
            result.classification_result.CopyFrom(servable.classify(signature, examples))
        else:
            result.regression_result.CopyFrom(servable.regress(signature, examples))
    return response


def check_metadata_fields(request: get_model_metadata_pb2.GetModelMetadataRequest) -> None:
    """Raises ServingError, INVALID_ARGUMENT, where a request asks for anything but the signatures."""
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != METADATA_FIELD:
            raise invalid(f"Metadata field {field} is not supported")


def metadata(servable: Servable) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """A model's name, version and signatures."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.metadata[METADATA_FIELD].Pack(signature_map(servable))
    return response


def signature_map(servable: Servable) -> get_model_metadata_pb2.SignatureDefMap:
    """The signatures of a model."""
    return get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signatures)


def replay(servable: Servable, log: prediction_log_pb2.PredictionLog, limits: Limits) -> None:
    """Answers a recorded request, for warming.

    Raises:
        ServingError: UNIMPLEMENTED, a log of another kind; what the request itself is refused with.
    """
    match log.WhichOneof("log_type"):
        case "predict_log":
            predict(servable, log.predict_log.request, limits)
        case "classify_log":
            classification(servable, log.classify_log.request)
        case "regress_log":
            regression(servable, log.regress_log.request)
        case "multi_inference_log":
            multi_inference(servable, log.multi_inference_log.request)
        case None:
            pass
        case other:
            raise ServingError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {other}")


def signature_name(spec: model_pb2.ModelSpec) -> str:
    """The signature that a request asks for."""
    return spec.signature_name or DEFAULT_SIGNATURE


def _named(servable: Servable, spec: model_pb2.ModelSpec) -> Signature:
    name = signature_name(spec)
    if name not in servable.signatures:
        raise invalid(f"No signature was found with the name: {name}")
    return servable.signatures[name]


def _echo(spec: model_pb2.ModelSpec, servable: Servable, signature: str) -> None:
    spec.name = servable.name
    spec.version.value = servable.version
    spec.signature_name = signature
