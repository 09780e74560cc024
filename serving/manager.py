"""Which versions of which models answer: polling, loading, switching and retiring, without a refused request."""

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from serving import model_config
from serving.loading import Loader, fingerprint
from serving.metrics import Metrics
from serving.model_config import ModelConfig, ModelServerConfig
from serving.servable import Servable
from serving.wire.errors import Code, ServingError, from_loading, invalid

START, LOADING, AVAILABLE, UNLOADING, END = (
    get_model_status_pb2.ModelVersionStatus.State.Value(name)
    for name in ("START", "LOADING", "AVAILABLE", "UNLOADING", "END")
)

KEPT_ENDED = 20
"""Versions that answer no more, and are not wanted, whose state is still told."""

UNLOAD_SECONDS = 5
"""How long the end of the server waits for requests that should be over by then."""

log = logging.getLogger(__name__)


@dataclass
class _Version:
    """One version and how far it is; `users` are the requests that it is answering."""

    path: str
    state: int = START
    error: ServingError | None = None
    servable: Servable | None = None
    users: int = 0
    broken_files: object = None


@dataclass
class _Model:
    config: ModelConfig
    versions: dict[int, _Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    def available(self) -> list[int]:
        """The versions that answer, in order."""
        return sorted(number for number, version in self.versions.items() if version.state == AVAILABLE)


class Manager:
    """Keeps the models of a configuration in memory as their base paths change.

    A new version is loaded and warmed before an old one is dropped; an old one is dropped after its last request. A
    version that cannot be loaded is reported, leaves the others as they are, and is tried again when its files change.

    Args:
        loader: loads and warms.
        metrics: says which versions answer.
        poll_seconds: between looks at the base paths; 0 looks only when a configuration comes.
    """

    def __init__(self, loader: Loader, metrics: Metrics, *, poll_seconds: float):
        self._loader, self._metrics, self._poll_seconds = loader, metrics, poll_seconds
        self._models: dict[str, _Model] = {}
        self._changed = threading.Condition()
        # held while versions come and go; requests need only `_changed`, for an instant
        self._syncing = threading.Lock()
        self._stop = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="poll_base_paths", daemon=True)

    def start(self) -> None:
        """Begins to poll the base paths."""
        if self._poll_seconds:
            self._poller.start()

    def close(self) -> None:
        """Stops polling, and unloads every model after its last request."""
        self._stop.set()
        if self._poller.is_alive():
            self._poller.join()
        with self._syncing:
            for name, model in self._models.items():
                for number in model.available():
                    self._unload(name, number, model.versions[number], timeout=UNLOAD_SECONDS)

    def reload(self, config: ModelServerConfig) -> None:
        """Replaces the configuration, and returns when its new models answer.

        Args:
            config: models that it does not list are unloaded.

        Raises:
            ServingError: INVALID_ARGUMENT, the configuration is not valid, and nothing has changed; UNKNOWN, a new
                model has no version that loads; FAILED_PRECONDITION, a label names a version that does not answer, and
                the labels are as before.
        """
        model_config.check(config)
        wanted = {model.name: model for model in config.model_config_list.config}
        with self._syncing:
            new = wanted.keys() - self._models.keys()
            with self._changed:
                for name, each in wanted.items():
                    self._models.setdefault(name, _Model(each)).config = each
            for name in self._models.keys() - wanted.keys():
                self._retire(name, aspired={})
                with self._changed:
                    del self._models[name]
            for name in wanted:
                self._sync(name)
            self._check_available(sorted(new))
            self._set_labels(wanted)

    @contextlib.contextmanager
    def servable(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The version that a request asks for, which stays in memory as long as the context lasts.

        Raises:
            ServingError: NOT_FOUND, there is none that answers; INVALID_ARGUMENT, no name or an unknown label.
        """
        with self._changed:
            number = self._resolve(spec)
            model = self._models.get(spec.name)
            if model and number is None:
                number = max(model.available(), default=None)
            version = model and number is not None and model.versions.get(number)
            if not version or version.state != AVAILABLE or not version.servable:
                asked = f"Latest({spec.name})" if number is None else f"Specific({spec.name}, {number})"
                raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            version.users += 1
        try:
            yield version.servable
        finally:
            with self._changed:
                version.users -= 1
                if not version.users and version.state == UNLOADING:
                    self._changed.notify_all()

    def status(self, spec: model_pb2.ModelSpec) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of one version, or of all that were ever seen, the newest first.

        Raises:
            ServingError: NOT_FOUND, there are none; INVALID_ARGUMENT, an unknown label.
        """
        response = get_model_status_pb2.GetModelStatusResponse()
        with self._changed:
            number = self._resolve(spec) if spec.name else None
            model = self._models.get(spec.name)
            versions = model.versions if model else {}
            if number is not None and number not in versions:
                raise ServingError(Code.NOT_FOUND, f"Could not find version {number} of model {spec.name}")
            if not versions:
                raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {spec.name}")
            for each in sorted(versions, reverse=True) if number is None else [number]:
                status = response.model_version_status.add(version=each, state=versions[each].state)
                error = versions[each].error
                status.status.error_code = error.code.value[0] if error else 0
                status.status.error_message = error.message if error else ""
        return response

    def knows(self, name: str) -> bool:
        """True where a model of this name is configured."""
        return name in self._models

    def ready(self) -> bool:
        """True where every configured model has a version that answers."""
        with self._changed:
            return all(model.available() for model in self._models.values())

    def _resolve(self, spec: model_pb2.ModelSpec) -> int | None:
        """The version number that a request names, by itself or by a label."""
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        if spec.WhichOneof("version_choice") == "version_label":
            model = self._models.get(spec.name)
            if not model or spec.version_label not in model.labels:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
            return model.labels[spec.version_label]
        return spec.version.value if spec.HasField("version") else None

    def _poll(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            with self._syncing:
                for name in list(self._models):
                    try:
                        self._sync(name)
                    except Exception:  # a file system may fail in ways of its own, and be well at the next look
                        log.exception("polling failed", extra={"fields": {"model": name}})

    def _sync(self, name: str) -> None:
        """Makes the versions in memory those that the policy wants of what is on disk."""
        model = self._models[name]
        try:
            found = model_config.versions_on_disk(model.config.base_path)
        except ServingError as error:
            # it may be away for a moment only: what answers goes on answering
            log.warning("base path cannot be read", extra={"fields": {"model": name, "error": error.message}})
            return
        wanted = model_config.aspired(model.config.model_version_policy, found)
        for number in sorted(wanted, reverse=True):
            if not self._stop.is_set() and self._needed(model, number, wanted[number]):
                self._load(name, number, wanted[number])
        self._retire(name, wanted)
        ended = sorted(set(model.versions) - set(wanted) - set(model.available()))
        with self._changed:
            for number in ended[:-KEPT_ENDED]:
                if model.versions[number].state == END:
                    del model.versions[number]

    def _needed(self, model: _Model, number: int, path: str) -> bool:
        seen = model.versions.get(number)
        if seen is None:
            return True
        return seen.state == END and (seen.error is None or seen.broken_files != fingerprint(path))

    def _load(self, name: str, number: int, path: str) -> None:
        fields = {"model": name, "version": number, "path": path}
        version = _Version(path, LOADING)
        with self._changed:
            self._models[name].versions[number] = version
        files = fingerprint(path)
        log.info("loading", extra={"fields": fields})
        try:
            servable = self._loader.load(name, number, path)
        except Exception as error:  # noqa: BLE001 - a model may be broken in any way
            with self._changed:
                version.state, version.error, version.broken_files = END, from_loading(error), files
            log.error("cannot be loaded", extra={"fields": fields | {"error": str(version.error)}})
            return
        with self._changed:
            version.servable, version.state = servable, AVAILABLE
        self._metrics.available(name, number, True)
        log.info("available", extra={"fields": fields})

    def _retire(self, name: str, aspired: Mapping[int, object]) -> None:
        """Unloads what is no longer wanted, as long as something that is wanted answers in its place."""
        model = self._models[name]
        answering = model.available()
        surplus = [number for number in answering if number not in aspired]
        if aspired and len(surplus) == len(answering):
            surplus = surplus[:-1]
        for number in surplus:
            version = model.versions[number]
            with self._changed:
                version.state = UNLOADING
            # a request that never ends must not keep newer versions from being loaded
            threading.Thread(target=self._unload, args=(name, number, version), name="unload", daemon=True).start()

    def _unload(self, name: str, number: int, version: _Version, timeout: float | None = None) -> None:
        with self._changed:
            version.state = UNLOADING
            idle = self._changed.wait_for(lambda: not version.users, timeout)
            servable, version.servable, version.state = version.servable, None, END
        if servable and idle:
            servable.close()
            self._metrics.available(name, number, False)
            log.info("unloaded", extra={"fields": {"model": name, "version": number}})

    def _check_available(self, names: list[str]) -> None:
        missing = []
        for name in names:
            model = self._models[name]
            if not model.available() and model.versions:
                number = max(model.versions)
                missing.append(f"{{{{name: {name} version: {number}}} due to error: {model.versions[number].error}}}")
        if missing:
            raise ServingError(
                Code.UNKNOWN, f"{len(missing)} model(s) did not become available: {{{', '.join(missing)}}}"
            )

    def _set_labels(self, configs: Mapping[str, ModelConfig]) -> None:
        for name, config in configs.items():
            for number in config.version_labels.values():
                if number not in self._models[name].available():
                    raise ServingError(
                        Code.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {name}, which is not currently "
                        "available for inference",
                    )
        with self._changed:
            for name, config in configs.items():
                self._models[name].labels = dict(config.version_labels)
