"""TF Serving's REST API as a FastAPI application, with health and metrics beside it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp
from tensorflow_serving.apis import classification_pb2, regression_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec as Spec

from serving import metrics
from serving.manager import Manager
from serving.metrics import Metrics
from serving.model_config import MAX_VERSION
from serving.servable import DEFAULT_SIGNATURE
from serving.wire import answers, rest_examples, rest_requests, rest_responses, rest_schema
from serving.wire.answers import Limits
from serving.wire.errors import Code, ServingError, invalid

JSON = "application/json"

log = logging.getLogger(__name__)

Name = Annotated[str, Path(pattern=r"^[^/:]+$", description="of the model")]
Version = Annotated[str, Path(pattern=r"^[0-9]+$", description="its number")]
Label = Annotated[str, Path(pattern=r"^[^/:]+$", description="a name that the configuration gives a version")]


class _BodyRefused(Exception):
    """The body is too large, or too slow; the connection is closed after the response."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Rest:
    """What the routes need.

    Args:
        manager: has the models.
        metrics: counts requests.
        limits: of requests.
        executor: models run in its threads, so that the event loop stays free.
        body_seconds: in which a body has to arrive.
    """

    manager: Manager
    metrics: Metrics
    limits: Limits
    executor: Executor
    body_seconds: float

    async def infer(self, api: str, spec: Spec, request: Request) -> Response:
        """Answers `predict`, `classify` or `regress`."""
        body = await self._body(request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, self._infer, api, spec, body)

    def _infer(self, api: str, spec: Spec, body: bytes) -> Response:
        started = time.perf_counter()
        response, code = _answered(lambda: getattr(self, api)(spec, body))
        name = spec.name if self.manager.knows(spec.name) else ""
        self.metrics.request(name, api, "REST", code.name, time.perf_counter() - started)
        return response

    def predict(self, spec: Spec, body: bytes) -> bytes:
        """Runs a signature on the tensors of a body."""
        document = rest_requests.parse(body)
        name = rest_requests.signature_name(document) or DEFAULT_SIGNATURE
        with self.manager.servable(spec) as servable:
            if name not in servable.signatures:
                raise invalid(f'Serving signature name: "{name}" not found in signature def')
            types = {alias: info.dtype for alias, info in servable.signatures[name].inputs.items()}
            if not types:
                raise invalid(f"Failed to get input map for signature: {document.get('signature_name') or 'DEFAULT'}")
            inputs, rows = rest_requests.predict_inputs(document, types, body)
            outputs = servable.predict(name, inputs)
        return rest_responses.predictions(outputs, rows=rows)

    def classify(self, spec: Spec, body: bytes) -> bytes:
        """Classifies the examples of a body."""
        document = rest_requests.parse(body)
        spec.signature_name = rest_requests.signature_name(document)
        given = rest_examples.examples(document)
        with self.manager.servable(spec) as servable:
            request = classification_pb2.ClassificationRequest(model_spec=spec, input=given)
            return rest_responses.classification(answers.classification(servable, request).result)

    def regress(self, spec: Spec, body: bytes) -> bytes:
        """Regresses the examples of a body."""
        document = rest_requests.parse(body)
        spec.signature_name = rest_requests.signature_name(document)
        given = rest_examples.examples(document)
        with self.manager.servable(spec) as servable:
            request = regression_pb2.RegressionRequest(model_spec=spec, input=given)
            return rest_responses.regression(answers.regression(servable, request).result)

    def status(self, spec: Spec) -> bytes:
        """The states of a model's versions."""
        return rest_responses.status(self.manager.status(spec))

    def metadata(self, spec: Spec) -> bytes:
        """A model's signatures."""
        with self.manager.servable(spec) as servable:
            response = answers.metadata(servable)
            return rest_responses.metadata(response.model_spec, answers.signature_map(servable))

    async def _body(self, request: Request) -> bytes:
        limit = self.limits.max_message_bytes
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > limit:
                        raise _BodyRefused(
                            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has at most {limit} bytes; received more"
                        )
                    parts.append(part)
        except ClientDisconnect:
            raise _BodyRefused(HTTPStatus.BAD_REQUEST, "the body ended early") from None
        except TimeoutError:
            raise _BodyRefused(
                HTTPStatus.REQUEST_TIMEOUT, f"the body has to arrive within {self.body_seconds} seconds"
            ) from None
        return b"".join(parts)


def build_app(rest: Rest, routers: Sequence[APIRouter] = (), mounts: Mapping[str, ASGIApp] | None = None) -> FastAPI:
    """The application.

    Args:
        rest: what its routes need.
        routers: further ones, such as a page's.
        mounts: path -> application, such as static files; `/` may be among them.
    """
    app = FastAPI(
        title="ganworks serve", summary="TF Serving's REST API", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.include_router(_models(rest))
    app.include_router(_operations(rest))
    for router in routers:
        app.include_router(router)
    for path, mounted in (mounts or {}).items():
        app.mount(path, mounted)

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, _BodyRefused):
            return Response(rest_responses.error(str(error)), error.status, {"connection": "close"}, JSON)
        if isinstance(error, ServingError):
            return Response(rest_responses.error(error.message), error.http_status, media_type=JSON)
        path = request.url.path
        if path.lower().startswith("/v1/") or isinstance(error, RequestValidationError):
            return Response(rest_responses.error(f"Malformed request: {request.method} {path}"), 400, media_type=JSON)
        status = error.status_code if isinstance(error, HTTPException) else 500
        return Response(rest_responses.error(HTTPStatus(status).phrase), status, media_type=JSON)

    for kind in (_BodyRefused, ServingError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, refused)
    return app


def _answered(answer: Callable[[], bytes]) -> tuple[Response, Any]:
    """The response to what `answer` gives or raises, and its code."""
    try:
        return Response(answer(), media_type=JSON), Code.OK
    except ServingError as error:
        return Response(rest_responses.error(error.message), error.http_status, media_type=JSON), error.code
    except Exception:
        log.exception("a request failed")
        message = "internal error; the server's log has it"
        return Response(rest_responses.error(message), 500, media_type=JSON), Code.INTERNAL


# async, because FastAPI gives others a thread


async def _latest(model: Name) -> Spec:
    return Spec(name=model)


async def _versioned(model: Name, version: Version) -> Spec:
    if len(version) > 19 or int(version) > MAX_VERSION:
        raise invalid(f"Failed to convert version: {version} to numeric.")
    spec = Spec(name=model)
    spec.version.value = int(version)
    return spec


async def _labelled(model: Name, label: Label) -> Spec:
    return Spec(name=model, version_label=label)


SpecOf = Callable[..., Awaitable[Spec]]

_PLACES: dict[str, SpecOf] = {
    "": _latest,
    "/versions/{version}": _versioned,
    "/labels/{label}": _labelled,
}
"""How a path names a version -> what reads it."""


def _models(rest: Rest) -> APIRouter:
    router = APIRouter(prefix="/v1/models")

    @router.get("", responses=rest_schema.ERRORS)
    async def nameless() -> Response:
        """Refused: a model has to be named."""
        return Response(rest_responses.error("Missing model name in request."), 400, media_type=JSON)

    for place, spec_of in _PLACES.items():
        for api in ("predict", "classify", "regress"):
            router.add_api_route(
                f"/{{model}}{place}:{api}",
                _inference(rest, api, spec_of),
                methods=["POST"],
                summary=f"{api.capitalize()} at {place or 'the latest version'}",
                openapi_extra=rest_schema.REQUESTS[api],
                responses=rest_schema.ERRORS | rest_schema.ANSWERS[api],
            )
        for suffix, read in (("", rest.status), ("/metadata", rest.metadata)):
            router.add_api_route(
                f"/{{model}}{place}{suffix}",
                _reading(read, spec_of),
                methods=["GET"],
                summary=f"{read.__doc__} {place}",
                responses=rest_schema.ERRORS,
            )
    return router


def _inference(rest: Rest, api: str, spec_of: SpecOf) -> Callable[..., Awaitable[Response]]:
    async def answer(request: Request, spec: Annotated[Any, Depends(spec_of)]) -> Response:
        return await rest.infer(api, spec, request)

    return answer


def _reading(read: Callable[[Spec], bytes], spec_of: SpecOf) -> Callable[..., Awaitable[Response]]:
    async def answer(spec: Annotated[Any, Depends(spec_of)]) -> Response:
        return _answered(lambda: read(spec))[0]

    return answer


def _operations(rest: Rest) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def alive() -> Response:
        """200 as long as the process answers."""
        return Response(rest_responses.dump({"status": "alive"}), media_type=JSON)

    @router.get("/readyz", responses=rest_schema.ERRORS)
    async def ready() -> Response:
        """200 when every model has a version that answers, else 503."""
        if rest.manager.ready():
            return Response(rest_responses.dump({"status": "ready"}), media_type=JSON)
        return Response(rest_responses.error("a model has no version that answers"), 503, media_type=JSON)

    @router.get(metrics.PATH, response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """The metrics, in Prometheus' text format."""
        return Response(rest.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
