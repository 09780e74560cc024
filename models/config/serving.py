"""What a model has to do as a server before it is pushed."""

from typing import Literal

from pydantic import Field

from models.config.frozen import Frozen


class Serving(Frozen):
    """What a model has to do as a server before it is pushed."""

    latency_milliseconds: float = Field(1_000, gt=0, description="that one example may take")
    image: str | None = Field(
        None, pattern=r"^[\w./-]+:[\w.-]+$", description="of TensorFlow Serving, which has to load the model first"
    )
    image_runs_on: Literal["docker", "kubernetes"] | None = Field(None, description="docker where none is named")
