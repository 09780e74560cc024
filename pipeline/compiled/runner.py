"""Executes a compiled pipeline on this machine: every task by the command that a cluster would run in its image."""

import datetime
import logging
import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from rich.console import Console
from tfx.types.artifact import Artifact

from pipeline.compiled import contract, resolvers
from pipeline.compiled.conditions import holds
from pipeline.compiled.contract import Artifacts
from pipeline.compiled.spec import Spec, Task
from pipeline.compiled.store import Store
from pipeline.compiled.workers import Workers
from pipeline.faults import StageFailed, one_line
from pipeline.stages import Display
from pipeline.summary import Stage, Summary

log = logging.getLogger(__name__)

SKIPPED = "skipped"


class Runner:
    """The tasks of one execution of a compiled pipeline."""

    def __init__(self, spec: Spec, values: Mapping[str, Any], summary: Summary, console: Console) -> None:
        """Prepares.

        Args:
            spec: what was compiled.
            values: of all its runtime parameters.
            summary: its root is where everything goes; it receives what the tasks make.
            console: receives a line a task.
        """
        self._spec, self._values, self._summary, self._console = spec, values, summary, console
        self._store = Store(summary.root, spec.name, f"{spec.name}-{datetime.datetime.now().isoformat()}")
        self._upstream = {name: self._waits_for(task) for name, task in spec.tasks.items()}

    def run(self) -> None:
        """Runs the tasks, as many at a time as the graph allows and this machine has cores.

        Raises:
            StageFailed: a task failed; what was still at work is stopped.
        """
        left, running = dict(self._spec.tasks), dict[Future[Stage], str]()
        states = dict[str, str]()
        display = Display(self._console, len(left))
        slots = len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(slots) as threads, Workers(self._summary.root / "logs") as workers:
            while left or running:
                ready = [task for name, task in left.items() if self._upstream[name] <= states.keys()]
                for task in ready[: slots - len(running)]:
                    del left[task.name]
                    missed = any(states[name] == SKIPPED for name in task.upstream)
                    work = threads.submit(self._perform, task, workers, display, missed=missed)
                    running[work] = task.name
                if not running:
                    raise StageFailed(f"tasks {', '.join(left)} wait for each other: compile the pipeline anew")
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    stage = future.result()
                    states[running.pop(future)] = stage.state
                    self._summary.add(stage)
                    display.ended(stage)

    def _waits_for(self, task: Task) -> set[str]:
        """The tasks that end before this one: a resolver looks around when this run has made all it can before."""
        tasks, behind = self._spec.tasks, {name for name, each in self._spec.tasks.items() if each.kind == "resolver"}
        if task.kind != "resolver":
            return task.upstream
        while more := {name for name, each in tasks.items() if each.upstream & behind} - behind:
            behind |= more
        return task.upstream | (tasks.keys() - behind)

    def _perform(self, task: Task, workers: Workers, display: Display, *, missed: bool) -> Stage:
        """Sees to a task; `missed` says that one before it was skipped, and so its inputs are missing."""
        began = time.monotonic()
        with display.shown(task.name):
            try:
                state = SKIPPED if missed else self._do(task, workers)
            except Exception as error:
                log.exception("task %s failed", task.name)
                raise StageFailed(f"stage {task.name} failed: {one_line(error)}") from error
        return Stage(task.name, time.monotonic() - began, state)

    def _do(self, task: Task, workers: Workers) -> str:
        """Runs a task, or finds what it would make; how, in a word."""
        inputs = {
            key: self._summary.outputs[each.task_output_artifact.producer_task][
                each.task_output_artifact.output_artifact_key
            ]
            for key, each in task.spec.inputs.artifacts.items()
        }
        parameters = {key: self._value(each) for key, each in task.spec.inputs.parameters.items()}
        message = self._message(task, "condition", inputs, parameters, {})
        if not holds(task, message):
            return SKIPPED
        if task.kind == "resolver":
            self._summary.outputs[task.name] = self._look_up(task, inputs, message)
            return "looked up"
        if task.kind == "importer":
            self._summary.outputs[task.name] = self._import(task, parameters)
            return "imported"
        return self._contain(task, workers, inputs, parameters)

    def _contain(self, task: Task, workers: Workers, inputs: Artifacts, parameters: dict[str, Any]) -> str:
        """A task in a container: from the cache, or by its command."""
        found = self._check(task, workers, inputs, parameters)
        parameters |= contract.plain_parameters(found)
        key = contract.cache_key(task, inputs, parameters)
        if task.spec.caching_options.enable_cache:
            outputs = self._store.cached(task, inputs, parameters, key)
            if outputs is not None:
                self._summary.outputs[task.name] = outputs
                return "cached"
        execution = self._store.begin(task, inputs, parameters, key)
        outputs = self._store.places(task, execution)
        contract.fill(task, outputs, found)
        message = self._message(task, str(execution.id), inputs, parameters, outputs)
        try:
            contract.fill(task, outputs, self._call(task, workers, task.executor.container, message))
        except BaseException:
            self._store.fail(task, execution)
            raise
        self._store.end(task, execution, outputs)
        self._summary.outputs[task.name] = outputs
        return "ran"

    def _check(self, task: Task, workers: Workers, inputs: Artifacts, parameters: Mapping[str, Any]) -> Any:
        """What the check before the cache changes in parameters and outputs; nothing where there is none."""
        command = task.executor.container.lifecycle.pre_cache_check.command
        if not command:
            return pipeline_spec_pb2.ExecutorOutput()
        outputs = {
            key: [contract.new_output(each.artifact_type)]
            for key, each in task.component.output_definitions.artifacts.items()
        }
        message = self._message(task, "check", inputs, parameters, outputs)
        return self._call(task, workers, task.executor.container.lifecycle.pre_cache_check, message)

    def _message(
        self, task: Task, name: str, inputs: Artifacts, parameters: Mapping[str, Any], outputs: Artifacts
    ) -> Any:
        """The ExecutorInput of one process of a task; it has a folder of its own, where what it needs is kept."""
        folder = self._summary.root / "artifacts" / task.name / ".system" / name
        return contract.executor_input(
            task,
            self._spec.version,
            inputs=inputs,
            parameters=parameters,
            outputs=outputs,
            output_file=folder / "executor_output.json",
        )

    def _call(self, task: Task, workers: Workers, hook: Any, message: Any) -> Any:
        """Runs the command of a task, or that of its check, and reads what it says of its outputs."""
        file = Path(message.outputs.output_file)
        shutil.rmtree(file.parents[1], ignore_errors=True)
        file.parent.mkdir(parents=True)
        workers.run(task.name, [contract.resolve(each, task.name, message) for each in (*hook.command, *hook.args)])
        text = file.read_text() if file.exists() else "{}"
        shutil.rmtree(file.parents[1])
        return json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput(), ignore_unknown_fields=True)

    def _value(self, given: Any) -> Any:
        """A parameter of a task as a plain value."""
        if given.component_input_parameter:
            return self._values[given.component_input_parameter]
        return contract.constant(given.runtime_value)

    def _look_up(self, task: Task, inputs: Artifacts, message: Any) -> dict[str, list[Artifact]]:
        """What a resolver finds of earlier executions."""
        made = [name for name, each in self._spec.tasks.items() if each.kind != "resolver"]
        this_run = {
            artifact.mlmd_artifact.name
            for name in made
            for artifacts in self._summary.outputs.get(name, {}).values()
            for artifact in artifacts
        }
        outputs = dict[str, list[Artifact]]()
        for key, query in task.executor.resolver.output_artifact_queries.items():
            # A query by what an earlier resolver did not find finds nothing.
            found = all(inputs.values())
            text = contract.resolve(query.filter, task.name, message) if found else ""
            outputs[key] = resolvers.latest(text, self._store.newest(), this_run=this_run) if found else []
        self._store.note(task, outputs)
        return outputs

    def _import(self, task: Task, parameters: Mapping[str, Any]) -> dict[str, list[Artifact]]:
        """What an importer names, under a name that earlier executions gave it where it may be used again."""
        importer = task.executor.importer
        place = importer.artifact_uri
        uri = str(parameters[place.runtime_parameter] if place.runtime_parameter else contract.constant(place))
        if not Path(uri).exists():
            raise ValueError(f"it imports {uri}, which does not exist on this machine")
        ((key, definition),) = task.component.output_definitions.artifacts.items()
        known = [] if importer.reimport else [each for each in self._store.newest() if each.uri == uri]
        made = known[0] if known else contract.new_output(definition.artifact_type)
        made.uri = uri
        for name, value in json_format.MessageToDict(importer.metadata).items():
            contract.set_property(made, name, value)
        self._store.note(task, {key: [made]})
        return {key: [made]}
