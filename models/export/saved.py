"""What lies in a generator's SavedModel besides TensorFlow's own: the names of these files."""

import json

from models.config import parse_data

EXPERIMENT = "assets.extra/experiment.json"
"""The configuration that made it."""

INTERFACE = "assets.extra/interface.json"
"""What it takes and gives; see `models.export.interface`."""

RECORD = "assets.extra/record.json"
"""Seed, step, data, source and versions that made it."""

CARD = "MODEL_CARD.md"
"""What it answers, scored and was made of, for people; beside a pushed model."""

WARM_UP = "assets.extra/tf_serving_warmup_requests"
"""Recorded requests that a server sends itself before it answers others."""


def classes_of(experiment: str) -> int:
    """How many classes a model has, by the text of EXPERIMENT beside it; 0 where that does not say."""
    try:
        tree = json.loads(experiment)
        data = tree["data"]
        # `labels` of models that were made before experiments had a format
        return int(data["labels"] if "format" not in tree else parse_data(data).classes)
    except (ValueError, KeyError, TypeError):
        return 0
