"""Conditions of tasks, in the Common Expression Language."""

from typing import Any

import celpy
from google.protobuf import json_format

from pipeline.compiled.spec import Task


def holds(task: Task, message: Any) -> bool:
    """Says whether a task is to run.

    Args:
        task: whose trigger policy may have a condition on its inputs.
        message: its ExecutorInput.

    Raises:
        ValueError: the condition cannot be decided: it asks for what the inputs lack, or is no yes or no.
    """
    condition = task.spec.trigger_policy.condition
    if not condition:
        return True
    inputs = json_format.MessageToDict(message.inputs, preserving_proto_field_name=True)
    try:
        environment = celpy.Environment()
        program = environment.program(environment.compile(condition))
        decided = program.evaluate({"inputs": celpy.json_to_cel(inputs)})
    except (celpy.CELParseError, celpy.CELEvalError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"task {task.name} has the condition {condition}, which cannot be decided: {reason}") from None
    if not isinstance(decided, celpy.celtypes.BoolType | bool):
        raise ValueError(f"task {task.name} has the condition {condition}, which is no yes or no but {decided}")
    return bool(decided)
