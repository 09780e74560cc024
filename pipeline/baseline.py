"""Which model a candidate has to beat."""

from typing import Any

from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.dsl.io import fileio


class BlessedBeforeStrategy(LatestBlessedModelStrategy):
    """The latest blessed model other than the candidate itself.

    The standard strategy names the candidate as its own baseline when a run is repeated: the evaluator's inputs
    would differ from the first run's, and it would miss its cache to compare a model with itself.
    """

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]] | None:
        """Resolves `model` and `model_blessing`, with the models in `candidate` left out, and those deleted since."""
        inputs = dict(input_dict)
        candidates = {model.id for model in inputs.pop("candidate")}
        inputs["model"] = [
            model for model in inputs["model"] if model.id not in candidates and fileio.exists(model.uri)
        ]
        resolved = super().resolve_artifacts(store, inputs)
        return None if resolved is None else resolved | {"candidate": []}
