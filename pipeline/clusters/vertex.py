"""Vertex AI Pipelines, by Google's own client and the credentials that the machine has.

The client of the API alone: `aiplatform.PipelineJob.submit` would make a bucket where the root names none that it sees.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth import exceptions as auth_exceptions
from google.cloud import aiplatform_v1

from pipeline.clusters.cluster import Cluster, Order, Refused, State, Submitted, one_line

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "PAUSED"})
PREFIX = "PIPELINE_STATE_"
CONSOLE = "https://console.cloud.google.com/vertex-ai/locations"


class Vertex(Cluster):
    """Vertex AI Pipelines of a project and region.

    Args:
        project: of Google Cloud.
        location: region, such as us-central1.
        endpoint: host of a private endpoint; None for the region's own.

    Raises:
        Refused: the machine has no credentials.
    """

    def __init__(self, project: str, location: str, *, endpoint: str | None = None) -> None:
        self._project, self._location = project, location
        self._parent = f"projects/{project}/locations/{location}"
        self._where = f"Vertex AI in {location} of {project}"
        options = ClientOptions(api_endpoint=endpoint or f"{location}-aiplatform.googleapis.com")
        with self._refusals():
            # a port can be asked by REST without encryption, as on loopback
            self._jobs = aiplatform_v1.PipelineServiceClient(transport="rest", client_options=options)
            self._schedules = aiplatform_v1.ScheduleServiceClient(transport="rest", client_options=options)

    def submit(self, order: Order) -> Submitted:
        """Starts a run, or makes a schedule."""
        job = {
            "display_name": order.name,
            "pipeline_spec": order.spec,
            "runtime_config": {
                "gcs_output_directory": order.spec["defaultPipelineRoot"],
                "parameter_values": dict(order.parameters),
            },
            "service_account": order.service_account or "",
        }
        with self._refusals():
            if order.schedule:
                made = self._schedules.create_schedule(parent=self._parent, schedule=self._schedule(order, job))
            else:
                made = self._jobs.create_pipeline_job(
                    parent=self._parent,
                    pipeline_job=aiplatform_v1.PipelineJob(job),
                    pipeline_job_id=f"{order.name}-{time.strftime('%Y%m%d%H%M%S')}",
                )
        kind = "schedules" if order.schedule else "runs"
        page = f"{CONSOLE}/{self._location}/pipelines/{kind}/{made.name.rpartition('/')[2]}?project={self._project}"
        return Submitted(made.name, page)

    def state(self, run: Submitted) -> State:
        """See `Cluster`."""
        with self._refusals():
            job = self._jobs.get_pipeline_job(name=run.name)
        name = job.state.name.removeprefix(PREFIX)
        failures = {
            task.task_name: one_line(task.error.message)
            for task in job.job_detail.task_details
            if task.state.name == "FAILED"
        }
        if job.error.message and not failures:
            failures = {"of the run": one_line(job.error.message)}
        return State(name.lower(), name in ENDED, failures)

    def _schedule(self, order: Order, job: dict[str, Any]) -> Any:
        request = {"parent": self._parent, "pipeline_job": job}
        return aiplatform_v1.Schedule(
            display_name=order.name,
            cron=order.schedule,
            max_concurrent_run_count=1,
            create_pipeline_job_request=request,
        )

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the client raises, as one line."""
        try:
            yield
        except auth_exceptions.GoogleAuthError as error:
            raise Refused(
                f"{self._where} asks for credentials: {one_line(error)}; `gcloud auth application-default login` sets "
                "them up"
            ) from None
        except exceptions.GoogleAPICallError as error:
            # without the request that it repeats
            words = re.sub(r"^[A-Z]+ \S+: ", "", one_line(error.message))
            raise Refused(f"{self._where} refuses with {error.code or 'an error'}: {words}") from None
        except (exceptions.RetryError, OSError) as error:
            raise Refused(f"{self._where} does not answer: {one_line(error)}") from None
