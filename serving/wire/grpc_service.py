"""TF Serving's two gRPC services, on the stubs of tensorflow-serving-api."""

import logging
import time
from collections.abc import Callable
from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.manager import Manager
from serving.metrics import Metrics
from serving.servable import Servable
from serving.wire import answers
from serving.wire.answers import Limits
from serving.wire.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference and GetModelMetadata.

    Args:
        manager: has the models.
        metrics: counts requests.
        limits: of requests.
    """

    def __init__(self, manager: Manager, metrics: Metrics, limits: Limits):
        self._manager, self._metrics, self._limits = manager, metrics, limits

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature."""

        def answer(servable: Servable) -> predict_pb2.PredictResponse:
            return answers.predict(servable, request, self._limits)

        return self._counted("Predict", request, context, predict_pb2.PredictResponse, answer)

    def Classify(
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Classifies tf.Examples."""

        def answer(servable: Servable) -> classification_pb2.ClassificationResponse:
            return answers.classification(servable, request)

        return self._counted("Classify", request, context, classification_pb2.ClassificationResponse, answer)

    def Regress(
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Regresses tf.Examples."""

        def answer(servable: Servable) -> regression_pb2.RegressionResponse:
            return answers.regression(servable, request)

        return self._counted("Regress", request, context, regression_pb2.RegressionResponse, answer)

    def MultiInference(
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Classifies and regresses the same tf.Examples; the first task names the model and its version."""

        def answer() -> inference_pb2.MultiInferenceResponse:
            spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
            with self._manager.servable(spec) as servable:
                return answers.multi_inference(servable, request)

        return answered(context, inference_pb2.MultiInferenceResponse, answer)

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells a model's signatures."""

        def answer() -> get_model_metadata_pb2.GetModelMetadataResponse:
            _check_spec(request)
            answers.check_metadata_fields(request)
            with self._manager.servable(request.model_spec) as servable:
                return answers.metadata(servable)

        return answered(context, get_model_metadata_pb2.GetModelMetadataResponse, answer)

    def _counted(
        self,
        api: str,
        request: Any,
        context: grpc.ServicerContext,
        response_class: type[Any],
        answer: Callable[[Servable], Any],
    ) -> Any:
        started = time.perf_counter()

        def found() -> Any:
            _check_spec(request)
            with self._manager.servable(request.model_spec) as servable:
                return answer(servable)

        response = answered(context, response_class, found)
        # a name that nobody configured must not become a new time series
        name = request.model_spec.name if self._manager.knows(request.model_spec.name) else ""
        status = context.code() or Code.OK
        self._metrics.request(name, api, "GRPC", status.name, time.perf_counter() - started)
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest.

    Args:
        manager: has the models.
    """

    def __init__(self, manager: Manager):
        self._manager = manager

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the states of a model's versions."""

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            _check_spec(request)
            return self._manager.status(request.model_spec)

        return answered(context, get_model_status_pb2.GetModelStatusResponse, answer)

    def HandleReloadConfigRequest(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Replaces the list of models, and answers when those that are new do."""

        def answer() -> model_management_pb2.ReloadConfigResponse:
            if request.config.WhichOneof("config") != "model_config_list":
                raise invalid(
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is "
                    "currently supported"
                )
            self._manager.reload(request.config)
            return model_management_pb2.ReloadConfigResponse(status={"error_code": 0})

        return answered(context, model_management_pb2.ReloadConfigResponse, answer)


def answered(context: grpc.ServicerContext, response_class: type[Any], answer: Callable[[], Any]) -> Any:
    """What `answer` gives, or an empty response beside the status of what it raised."""
    try:
        return answer()
    except ServingError as error:
        context.set_code(error.code)
        context.set_details(error.grpc_message)
    except Exception:
        log.exception("a request failed")
        context.set_code(Code.INTERNAL)
        context.set_details("internal error; the server's log has it")
    return response_class()


def _check_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
