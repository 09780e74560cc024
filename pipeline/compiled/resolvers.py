"""The two resolvers that TFX compiles: the latest artifact of a type, and the latest blessed model."""

import re
from collections.abc import Collection, Iterable

from tfx.components.evaluator import constants
from tfx.orchestration.kubeflow.v2 import compiler_utils
from tfx.types.artifact import Artifact

_CONDITION = re.compile(r"(schema_title|state|name|metadata\.(\w+)\.(?:number|string)_value)=(\"?)(.*)\3")


def latest(query: str, newest: Iterable[Artifact], *, this_run: Collection[str]) -> list[Artifact]:
    """The newest artifact that a query describes; none where there is none.

    What this run itself makes or takes from its cache is passed over, and so are judgements of its models: a model is
    no baseline of its own, and a run that is repeated finds what it found before. Judgements of models that were
    deleted are passed over as well.

    Args:
        query: conditions joined by AND, as TFX compiles them.
        newest: what there is, newest first.
        this_run: the names of this run's artifacts.

    Raises:
        ValueError: the query has another form.
    """
    conditions = [_condition(each) for each in query.split(" AND ")]
    known = list(newest)
    judged = {each.mlmd_artifact.name for each in known} - set(this_run)
    for artifact in known:
        model = artifact.get_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY)
        if artifact.mlmd_artifact.name in this_run or (model and model not in judged):
            continue
        if all(_holds(artifact, *each) for each in conditions):
            return [artifact]
    return []


def _condition(text: str) -> tuple[str, str, str]:
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"a resolver asks for a type, a state, a name or metadata; received {text}")
    return match[1], match[2] or "", match[4]


def _holds(artifact: Artifact, field: str, key: str, value: str) -> bool:
    if field == "schema_title":
        return str(compiler_utils.get_artifact_title(type(artifact))) == value
    if field == "name":
        return bool(artifact.mlmd_artifact.name == value)
    if field == "state":
        return value == "LIVE"
    if field.endswith("number_value"):
        # whole numbers are kept as such
        number = artifact.get_int_custom_property(key) or artifact.get_float_custom_property(key)
        return artifact.has_custom_property(key) and number == float(value)
    return bool(artifact.get_string_custom_property(key) == value)
