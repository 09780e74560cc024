"""`ganworks serve` as a process: its lines, its end, and the binary that it stands in for."""

import json
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from google.protobuf import text_format

from serving import model_config
from tests.serving import saved
from tests.serving.process import Process


@pytest.fixture
def started():
    processes = []

    def start(*arguments: str, **environment: str) -> Process:
        processes.append(Process(*arguments, **environment))
        return processes[-1]

    yield start
    for each in processes:
        each.popen.kill()
        each.popen.communicate()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The root of a run that pushed one model."""
    path = tmp_path_factory.mktemp("root")
    saved.many(path / "serving/gan/3")
    return path


class TestEmbedded:
    def test_a_signal_ends_it_after_the_requests_under_way(self, started, root):
        process = started(str(root), "--embedded", "--grpc-port", "0", "--rest-port", "0")
        grpc_line, rest_line = process.line(), process.line()
        assert grpc_line.startswith("gRPC  127.0.0.1:")
        url = rest_line.removeprefix("REST  ")
        answers = []

        def ask() -> None:
            body = {"signature_name": "spin", "instances": [300_000]}
            answers.append(httpx.post(f"{url}/v1/models/gan:predict", json=body, timeout=60).json())

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.5)
        assert not answers
        code, errors = process.end(signal.SIGTERM)
        thread.join()
        assert answers == [{"predictions": [300_000]}]
        assert code == 0
        lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
        assert [line["message"] for line in lines] == ["loading", "available", "draining", "unloaded", "stopped"]

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["."], "holds no pushed model; a model is ROOT/serving/NAME"),
            ([], "either DIR or --model-config-file is served; received neither"),
            (["--model-config-file", "none.config"], "none.config is no model config file"),
            (["DIR", "--batching-parameters-file", "none.config"], "none.config is no batching parameters file"),
            (["DIR", "--tls-key", "k.pem"], "TLS takes both --tls-certificate and --tls-key"),
            (["DIR", "--tls-key", "k.pem", "--tls-certificate", "c.pem"], "the TLS certificate c.pem is no file"),
            (["DIR", "--version-policy", "newest"], "a version policy is latest, latest:N, all or specific:N,N"),
            (["DIR", "--rest-port", "8500"], "gRPC and REST need a port each"),
        ],
    )
    def test_an_error_is_one_line(self, root, tmp_path, monkeypatch, capsys, arguments, error):
        from pipeline import cli

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["ganworks", "serve", *(str(root) if a == "DIR" else a for a in arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert error in str(caught.value)
        assert str(caught.value).startswith("error: ")
        assert "\n" not in str(caught.value)


SCRIPT = """#!/bin/sh
printf '%s\\n' "$@" > "$RECORD/arguments"
for each in "$@"; do
    case $each in --model_config_file=*) cp "${each#*=}" "$RECORD/models" ;; esac
    case $each in --monitoring_config_file=*) cp "${each#*=}" "$RECORD/monitoring" ;; esac
done
trap 'exit 7' TERM
touch "$RECORD/ready"
while :; do sleep 0.05; done
"""


class TestBinary:
    @pytest.fixture
    def path(self, tmp_path) -> str:
        """A PATH on which TF Serving's binary is a script that records what it is told."""
        binary = tmp_path / "bin" / "tensorflow_model_server"
        binary.parent.mkdir()
        binary.write_text(SCRIPT)
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
        return f"{binary.parent}:{os.environ['PATH']}"

    def test_is_told_the_same_and_gets_the_signals(self, started, root, tmp_path, path):
        batching = tmp_path / "batching.config"
        batching.write_text("max_batch_size { value: 8 }")
        process = started(
            *(str(root), "--grpc-port", "0", "--rest-port", "0", "--version-policy", "latest:2"),
            *("--poll-seconds", "0.2", "--batching-parameters-file", str(batching)),
            PATH=path,
            RECORD=str(tmp_path),
        )
        warning, grpc_line, rest_line = process.line(), process.line(), process.line()
        assert "listens at every address" in warning
        ready = tmp_path / "ready"
        while not ready.exists():
            time.sleep(0.02)
        flags = dict(line.removeprefix("--").split("=", 1) for line in (tmp_path / "arguments").read_text().split())
        assert grpc_line.startswith(f"gRPC  127.0.0.1:{flags['port']}  (")
        assert rest_line.startswith(f"REST  http://127.0.0.1:{flags['rest_api_port']}  (")
        assert flags["file_system_poll_wait_seconds"] == "1"
        assert (flags["enable_batching"], flags["batching_parameters_file"]) == ("true", str(batching))
        config = text_format.Parse((tmp_path / "models").read_text(), model_config.ModelServerConfig())
        (model,) = config.model_config_list.config
        assert (model.name, model.base_path, model.model_platform) == ("gan", str(root / "serving/gan"), "tensorflow")
        assert model.model_version_policy.latest.num_versions == 2
        assert 'path: "/monitoring/prometheus/metrics"' in (tmp_path / "monitoring").read_text()
        code, _ = process.end(signal.SIGTERM)
        assert code == 7
        assert not Path(flags["model_config_file"]).exists()

    def test_has_no_tls_at_its_rest_port(self, root, tmp_path, path, monkeypatch):
        from serving import main, options

        monkeypatch.setenv("PATH", path)
        pem = tmp_path / "some.pem"
        pem.touch()
        tls = options.Tls(certificate=pem, key=pem)
        chosen = options.ServerOptions(models=options.find(root), tls=tls)
        with pytest.raises(ValueError, match="has no TLS at its REST port; --embedded has it at both"):
            main.serve(chosen)
