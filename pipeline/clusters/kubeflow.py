"""Kubeflow Pipelines, by its own client."""

import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import kfp_server_api
import urllib3
import yaml

from pipeline.clusters.cluster import Cluster, Order, Refused, State, Submitted, one_line

TOKEN = "GANWORKS_KFP_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with a bearer token, for hosts that ask for one. It is sent, and kept nowhere."""

ENDPOINT = "KF_PIPELINES_ENDPOINT"
"""The client's own variable for a host."""

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"})
FAILED = frozenset({"FAILED"})


class Kubeflow(Cluster):
    """A Kubeflow Pipelines of version 2.

    Args:
        host: URL of its API; None for what the machine is set up for: the cluster it is in, or the kubeconfig.
        namespace: of the runs, where users have their own; None for the default.
        experiment: the group that the runs are shown in; it is made where it is missing.

    Raises:
        Refused: it cannot be reached, or does not let this user in.
    """

    def __init__(self, host: str | None, *, namespace: str | None, experiment: str) -> None:
        token = os.environ.get(TOKEN)
        if token and not (host or os.environ.get(ENDPOINT)):
            raise Refused(f"a token in {TOKEN} is for a --host; none is named")
        with _refusals(host or "the host of the kubeconfig"), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import kfp

            known = {"namespace": namespace} if namespace else {}
            self._client = kfp.Client(host=host, existing_token=token, **known)
            self._host = str(self._client._existing_config.host)
            self._experiment = self._client.create_experiment(experiment, namespace=namespace).experiment_id

    def submit(self, order: Order) -> Submitted:
        """Starts a run, or makes a recurring one."""
        with tempfile.TemporaryDirectory(prefix="ganworks-") as scratch, _refusals(self._host):
            package = Path(scratch, "pipeline.yaml")
            package.write_text(yaml.safe_dump(order.spec))
            what: dict[str, Any] = {
                "experiment_id": self._experiment,
                "job_name": order.name,
                "pipeline_package_path": str(package),
                "params": dict(order.parameters),
                "pipeline_root": order.spec["defaultPipelineRoot"],
                "service_account": order.service_account,
            }
            if order.schedule:
                made = self._client.create_recurring_run(cron_expression=order.schedule, **what)
                return Submitted(made.recurring_run_id, f"{self._host}/#/recurringrun/details/{made.recurring_run_id}")
            made = self._client.run_pipeline(**what)
            return Submitted(made.run_id, f"{self._host}/#/runs/details/{made.run_id}")

    def state(self, run: Submitted) -> State:
        """See `Cluster`."""
        with _refusals(self._host):
            found = self._client.get_run(run.name)
        name = str(found.state or "PENDING")
        tasks = (found.run_details.task_details or []) if found.run_details else []
        failures = {
            task.display_name: one_line(task.error.message if task.error else "it does not say why")
            for task in tasks
            # a group of tasks fails where one of them does
            if str(task.state) in FAILED and not task.child_tasks
        }
        if found.error and not failures:
            failures = {"of the run": one_line(found.error.message)}
        return State(name.lower(), name in ENDED, failures)


@contextmanager
def _refusals(host: str) -> Iterator[None]:
    """What the client raises, as one line; what it prints, as nothing."""
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield
    except kfp_server_api.ApiException as error:
        try:
            words = json.loads(error.body or "")
            words = words.get("message") or words.get("error") or error.reason
        except (ValueError, AttributeError):
            words = error.body or error.reason
        hint = f"; a token goes into the environment as {TOKEN}" if error.status in (401, 403) else ""
        raise Refused(f"{host} refuses with {error.status}: {one_line(words)}{hint}") from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Refused(f"no Kubeflow Pipelines answers at {host}: {one_line(error)}") from None
