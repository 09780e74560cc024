"""The files for TensorFlow Serving: what can be held against our own reading of them, without Docker or a cluster."""

from pathlib import Path

import pytest
import yaml

from serving import batching_parameters, model_config

FOLDER = Path(__file__).parent.parent / "deploy" / "serving"


@pytest.fixture(scope="module")
def model():
    (model,) = model_config.read(FOLDER / "models.config").model_config_list.config
    return model


@pytest.fixture(scope="module")
def objects():
    return {each["kind"]: each for each in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())}


@pytest.fixture(scope="module")
def container(objects):
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["serving"]


def test_the_server_of_ours_reads_both_configurations(model):
    assert (model.name, model.base_path) == ("digits-cgan", "/models/digits-cgan")
    batching_parameters.read(FOLDER / "batching.config")


def test_both_run_the_same_image_with_the_same_options(compose, container):
    assert compose["image"] == container["image"]
    assert {*compose["entrypoint"], *compose["command"]} == {*container["command"], *container["args"]}


def test_every_file_that_an_option_names_is_mounted(compose, container):
    named = {arg.partition("=")[2] for arg in container["args"] if "_file=" in arg}
    assert named == {"/config/models.config", "/config/batching.config"}
    assert named <= {volume.split(":")[-2] for volume in compose["volumes"]}
    assert {"/models", "/config", "/tmp"} == {mount["mountPath"] for mount in container["volumeMounts"]}


def test_probes_ask_for_the_model_that_is_served(model, container):
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == f"/v1/models/{model.name}"


def test_nothing_runs_as_root_or_writes_to_its_image(objects, container, compose):
    pod = objects["Deployment"]["spec"]["template"]["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] != 0
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert compose["read_only"] is True
    assert compose["user"].split(":")[0] != "0"
    assert all(port.startswith("127.0.0.1:") for port in compose["ports"])


def test_service_and_autoscaler_find_the_deployment(objects):
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"] == labels == objects["Deployment"]["spec"]["selector"]["matchLabels"]
    target = objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", objects["Deployment"]["metadata"]["name"])
