"""What lies in a generator's SavedModel besides TensorFlow's own: the names of these files."""

EXPERIMENT = "assets.extra/experiment.json"
"""The configuration that made it."""

RECORD = "assets.extra/record.json"
"""Seed, step, data, source and versions that made it."""

CARD = "MODEL_CARD.md"
"""What it answers, scored and was made of, for people; beside a pushed model."""

WARM_UP = "assets.extra/tf_serving_warmup_requests"
"""Recorded requests that a server sends itself before it answers others."""
