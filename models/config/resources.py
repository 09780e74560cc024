"""What the tasks of a compiled pipeline get on a cluster; a run on this machine does not look at it."""

from typing import Self

from pydantic import Field, model_validator

from models.config.frozen import Frozen


class Machine(Frozen):
    """What one task gets; what is not set is left to the cluster."""

    cpu: float | None = Field(None, gt=0, description="virtual CPUs")
    memory_gigabytes: float | None = Field(None, gt=0)
    accelerator: str | None = Field(
        None, min_length=1, description="as the cluster names it: NVIDIA_TESLA_T4 on Vertex, nvidia.com/gpu on Kubeflow"
    )
    accelerator_count: int | None = Field(None, gt=0, description="1 where there is an accelerator")
    image: str | None = Field(None, min_length=1, description="container image, in place of that of all other tasks")

    @model_validator(mode="after")
    def _something_is_counted(self) -> Self:
        if self.accelerator_count and not self.accelerator:
            raise ValueError(f"accelerator_count counts an accelerator; received {self.accelerator_count} of none")
        return self

    @property
    def limits(self) -> bool:
        """True where anything but the image is set."""
        return any((self.cpu, self.memory_gigabytes, self.accelerator))


class Resources(Frozen):
    """The machines of the stages, each by its name, and how Beam runs there."""

    image_example_gen: Machine | None = None
    statistics_gen: Machine | None = None
    schema_gen: Machine | None = None
    example_validator: Machine | None = None
    transform: Machine | None = None
    feature_trainer: Machine | None = None
    gan_trainer: Machine | None = None
    gan_evaluator: Machine | None = None
    serving_validator: Machine | None = None
    pusher: Machine | None = None
    beam_args: tuple[str, ...] = Field(
        (),
        description="of Beam on the cluster, e.g. --runner=DataflowRunner and its --project, --region and "
        "--temp_location; empty: within the task itself",
    )

    def stages(self) -> dict[str, Machine]:
        """The machines that are set, by the stages' names in the pipeline: `GanTrainer` for `gan_trainer`."""
        fields = (name for name in type(self).model_fields if name != "beam_args")
        return {
            name.title().replace("_", ""): machine for name in fields if (machine := getattr(self, name)) is not None
        }
