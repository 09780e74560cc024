"""What a cluster is sent, and what a user is told, by the real clients against servers of this process."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.clusters.cluster import Refused, State, Submitted, one_line, wait
from pipeline.clusters.kubeflow import TOKEN
from pipeline.commands import submit as submit_command
from pipeline.experiments.named import TINY
from pipeline.kubeflow_runner import compile_pipeline
from tests.pipeline.clusters import answering

SECRET = "the-secret-of-this-test"
RUNS, RECURRING, EXPERIMENTS = (f"/apis/v2beta1/{name}" for name in ("runs", "recurringruns", "experiments"))
JOBS = "/v1/projects/p/locations/us-central1/pipelineJobs"
SCHEDULES = "/v1/projects/p/locations/us-central1/schedules"


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "tiny.json"
    compile_pipeline(TINY, path, root="gs://bucket/tiny", image="registry/ganworks:1", baseline=False)
    return str(path)


@pytest.fixture
def kubeflow(monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)
    with answering() as fake:
        fake.answers = {
            ("GET", "/apis/v2beta1/healthz"): {"multi_user": False},
            ("GET", EXPERIMENTS): {"experiments": [{"experiment_id": "e1", "display_name": "ganworks"}]},
            ("POST", RUNS): {"run_id": "r1", "state": "PENDING"},
            ("POST", RECURRING): {"recurring_run_id": "rr1"},
            ("GET", f"{RUNS}/r1"): {"run_id": "r1", "state": "SUCCEEDED"},
        }
        yield fake


@pytest.fixture
def vertex(monkeypatch, tmp_path):
    """With a service account of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with answering() as fake:
        account = {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "me@p.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{fake.url}/unused",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        fake.answers = {
            ("POST", JOBS): {"name": f"{JOBS[4:]}/tiny-1", "state": "PIPELINE_STATE_PENDING"},
            ("POST", SCHEDULES): {"name": f"{SCHEDULES[4:]}/7", "displayName": "tiny", "cron": "0 3 * * *"},
            ("GET", f"{JOBS}/tiny-1"): {"name": f"{JOBS[4:]}/tiny-1", "state": "PIPELINE_STATE_SUCCEEDED"},
        }
        yield fake


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(submit_command, "LOOKS_SECONDS", 0.01)


@pytest.fixture
def submit(capfd):
    """Runs the command; gives its result, with what it wrote to the terminal."""

    def run(*arguments, to, fake):
        where = ["--host", fake.url] if to == "kfp" else ["--project", "p", "--endpoint", fake.url]
        result = CliRunner().invoke(app, ["submit", *arguments, "--to", to, *where])
        result.told = capfd.readouterr().out
        return result

    return run


class TestKubeflow:
    def test_a_run_is_the_compiled_spec_with_its_parameters(self, kubeflow, spec, submit):
        result = submit(spec, "--parameter", "training_steps=7", to="kfp", fake=kubeflow)
        assert result.exit_code == 0, result.exception
        assert result.told == f"run       r1\npage      {kubeflow.url}/#/runs/details/r1\n"
        sent = kubeflow.sent("POST", RUNS)
        assert (sent["experiment_id"], sent["display_name"]) == ("e1", "tiny")
        assert sent["runtime_config"]["parameters"]["training_steps"] == 7
        assert sent["pipeline_spec"]["defaultPipelineRoot"] == "gs://bucket/tiny/artifacts"
        executors = sent["pipeline_spec"]["deploymentSpec"]["executors"].values()
        assert {each["container"]["image"] for each in executors if "container" in each} == {"registry/ganworks:1"}

    def test_an_experiment_is_compiled_first(self, kubeflow, submit):
        options = ["--root", "gs://b/runs/", "--image", "i:1", "--set", "training.batch_size=8"]
        result = submit("tiny", *options, to="kfp", fake=kubeflow)
        assert result.exit_code == 0, result.exception
        sent = kubeflow.sent("POST", RUNS)
        assert sent["pipeline_spec"]["defaultPipelineRoot"] == "gs://b/runs/tiny/artifacts"
        executors = sent["pipeline_spec"]["deploymentSpec"]["executors"].values()
        assert {key for each in executors for key in each} == {"container"}
        assert '"batch_size": 8' in json.dumps(sent).replace("\\", "")

    def test_a_schedule_is_a_recurring_run(self, kubeflow, spec, submit):
        result = submit(spec, "--schedule", "0 0 3 * * *", to="kfp", fake=kubeflow)
        assert result.exit_code == 0, result.exception
        assert kubeflow.sent("POST", RECURRING)["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"
        assert result.told.startswith("schedule  rr1\n")

    def test_waiting_ends_with_the_run(self, kubeflow, spec, submit):
        states = [{"run_id": "r1", "state": state} for state in ("RUNNING", "RUNNING", "SUCCEEDED")]
        kubeflow.answers["GET", f"{RUNS}/r1"] = states
        result = submit(spec, "--wait", to="kfp", fake=kubeflow)
        assert result.exit_code == 0, result.exception
        assert [line.split()[-1] for line in result.told.splitlines()[2:]] == ["running", "succeeded"]

    def test_a_failing_task_is_named_with_its_words(self, kubeflow, spec, submit):
        tasks = [
            {"display_name": "root", "state": "FAILED", "child_tasks": [{"pod_name": "x"}]},
            {"display_name": "GanTrainer", "state": "FAILED", "error": {"code": 2, "message": "loss\nis NaN"}},
            {"display_name": "Transform", "state": "SUCCEEDED"},
        ]
        failed = {"run_id": "r1", "state": "FAILED", "run_details": {"task_details": tasks}}
        kubeflow.answers["GET", f"{RUNS}/r1"] = failed
        result = submit(spec, "--wait", to="kfp", fake=kubeflow)
        assert str(result.exception) == (
            f"the run failed; task GanTrainer: loss is NaN; see {kubeflow.url}/#/runs/details/r1"
        )

    def test_a_refusal_is_one_line(self, kubeflow, spec, submit):
        kubeflow.answers["POST", RUNS] = 403, {"error": "no", "message": "user may not create runs"}
        result = submit(spec, to="kfp", fake=kubeflow)
        assert str(result.exception) == (
            f"{kubeflow.url} refuses with 403: user may not create runs; a token goes into the environment as {TOKEN}"
        )

    def test_nobody_at_home_is_one_line(self, kubeflow, spec):
        result = CliRunner().invoke(app, ["submit", spec, "--to", "kfp", "--host", "http://127.0.0.1:9"])
        assert isinstance(result.exception, Refused)
        assert str(result.exception).startswith("no Kubeflow Pipelines answers at http://127.0.0.1:9: ")

    def test_a_resolver_is_refused_which_it_does_not_have(self, kubeflow, tmp_path, submit):
        compile_pipeline(TINY, tmp_path / "with.json", root="gs://b", image="i")
        result = submit(str(tmp_path / "with.json"), to="kfp", fake=kubeflow)
        assert "compile it with --no-baseline" in str(result.exception)
        assert not kubeflow.requests

    def test_a_token_is_sent_to_a_named_host_alone(self, kubeflow, spec):
        result = CliRunner().invoke(app, ["submit", spec, "--to", "kfp"])
        assert str(result.exception) == f"a token in {TOKEN} is for a --host; none is named"

    def test_version_2_0_is_refused_before_anything_is_sent(self, kubeflow, tmp_path, submit):
        compile_pipeline(TINY, tmp_path / "old.json", root="gs://b", image="i", spec="2.0")
        result = submit(str(tmp_path / "old.json"), to="kfp", fake=kubeflow)
        assert "a spec of version 2.1 is submitted" in str(result.exception)
        assert not [each for each in kubeflow.requests if each[0] == "POST"]


class TestVertex:
    def test_a_job_is_the_compiled_spec_with_its_parameters(self, vertex, spec, submit):
        options = ["--parameter", "training_steps=7", "--service-account", "runner@p"]
        result = submit(spec, *options, to="vertex", fake=vertex)
        assert result.exit_code == 0, result.exception
        console = "https://console.cloud.google.com/vertex-ai/locations/us-central1/pipelines/runs/tiny-1?project=p"
        assert result.told == f"run       {JOBS[4:]}/tiny-1\npage      {console}\n"
        sent = vertex.sent("POST", JOBS)
        assert sent["runtimeConfig"]["parameterValues"]["training_steps"] == 7
        assert sent["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/tiny/artifacts"
        assert sent["serviceAccount"] == "runner@p"
        assert "GanTrainer" in sent["pipelineSpec"]["root"]["dag"]["tasks"]

    def test_a_schedule(self, vertex, spec, submit):
        result = submit(spec, "--schedule", "0 3 * * *", to="vertex", fake=vertex)
        assert result.exit_code == 0, result.exception
        assert vertex.sent("POST", SCHEDULES)["cron"] == "0 3 * * *"

    def test_a_failing_task_is_named_with_its_words(self, vertex, spec, submit):
        tasks = [
            {"taskName": "GanEvaluator", "state": "FAILED", "error": {"code": 9, "message": "no such metric"}},
            {"taskName": "Transform", "state": "SUCCEEDED"},
        ]
        vertex.answers["GET", f"{JOBS}/tiny-1"] = [
            {"name": f"{JOBS[4:]}/tiny-1", "state": "PIPELINE_STATE_RUNNING"},
            {"name": f"{JOBS[4:]}/tiny-1", "state": "PIPELINE_STATE_FAILED", "jobDetail": {"taskDetails": tasks}},
        ]
        result = submit(spec, "--wait", to="vertex", fake=vertex)
        assert str(result.exception).startswith("the run failed; task GanEvaluator: no such metric; see https://")
        assert [line.split()[-1] for line in result.told.splitlines()[2:]] == ["running", "failed"]

    def test_a_refusal_is_one_line(self, vertex, spec, submit):
        vertex.answers["POST", JOBS] = 403, {"error": {"code": 403, "message": "Permission denied on project p"}}
        result = submit(spec, to="vertex", fake=vertex)
        assert str(result.exception) == "Vertex AI in us-central1 of p refuses with 403: Permission denied on project p"

    def test_without_credentials(self, vertex, spec, monkeypatch, tmp_path, submit):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
        result = submit(spec, to="vertex", fake=vertex)
        assert "asks for credentials: " in str(result.exception)
        assert "gcloud auth application-default login" in str(result.exception)


@pytest.mark.parametrize("to", ["kfp", "vertex"])
def test_no_credential_is_written_or_told(to, spec, request, tmp_path, monkeypatch, caplog, submit):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "TMPDIR", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(home)
    fake = request.getfixturevalue("kubeflow" if to == "kfp" else "vertex")
    with caplog.at_level("DEBUG"):
        result = submit(spec, "--wait", to=to, fake=fake)
    assert result.exit_code == 0, result.exception
    headers = [(key.lower(), value) for *_, sent, _ in fake.requests for key, value in sent.items()]
    (token,) = {value for key, value in headers if key == "authorization"}
    secret = token.removeprefix("Bearer ")
    # a service account signs its tokens itself
    assert secret == SECRET if to == "kfp" else secret.count(".") == 2
    assert secret not in result.told + caplog.text
    assert not [path for path in home.rglob("*") if path.is_file() and secret in path.read_text(errors="replace")]


class TestRequests:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["tiny", "--to", "mars"], "--to is vertex or kfp; received mars"),
            (["tiny", "--to", "vertex"], "vertex needs a --project"),
            (["tiny", "--to", "kfp", "--image", "i"], "--root is missing"),
            (["tiny", "--to", "kfp", "--root", "gs://b"], "--image is missing"),
            (["tinny", "--to", "kfp", "--root", "gs://b", "--image", "i"], "tinny is no experiment"),
            (["tiny", "--to", "kfp", "--wait", "--schedule", "0 * * * * *"], "a --schedule has no end"),
            (["none.json", "--to", "kfp"], "none.json cannot be read"),
        ],
    )
    def test_what_cannot_be_submitted(self, arguments, words):
        assert words in str(CliRunner().invoke(app, ["submit", *arguments]).exception)

    @pytest.mark.parametrize(
        "parameter",
        ["training_steps=many", "training_stepps=5", "training_steps", "training_steps=inf", "training_steps=-5"],
    )
    def test_a_parameter_is_checked_before_anything_is_sent(self, kubeflow, spec, parameter, submit):
        result = submit(spec, "--parameter", parameter, to="kfp", fake=kubeflow)
        assert isinstance(result.exception, ValueError)
        assert not kubeflow.requests

    def test_a_compiled_file_has_its_root_and_image(self, spec, kubeflow, submit):
        result = submit(spec, "--root", "gs://b", to="kfp", fake=kubeflow)
        assert "--root, --image and --set are for an experiment's name" in str(result.exception)


def test_waiting_outlasts_a_cluster_that_is_away_for_a_while():
    class Shaky:
        def __init__(self, *answers):
            self.answers = list(answers)

        def state(self, run):
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    class Console:
        def print(self, line):
            lines.append(line.split()[-1])

    lines = []
    away = Refused("away")
    states = [State("running", False, {}), State("succeeded", True, {})]
    wait(Shaky(away, away, *states), Submitted("r", "page"), Console(), seconds=0)
    assert lines == ["running", "succeeded"]
    with pytest.raises(Refused):
        wait(Shaky(*[away] * 9), Submitted("r", "page"), Console(), seconds=0)


def test_words_of_a_cluster_are_one_line_without_credentials():
    assert one_line("denied\n  Authorization: abc  token=def") == "denied Authorization: *** token=***"
    assert one_line("Authorization: Bearer ya29.x; no") == "Authorization: *** no"
    assert one_line('{"access_token": "ya29.x", "a": 1}') == '{"access_token": "***", "a": 1}'
    assert len(one_line("x" * 9_000)) < 600
