"""What the loop does: steps, optimizers, averages, looks and checkpoints."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.config.frozen import Frozen


class Optimizer(Frozen):
    """One player's optimizer."""

    name: Literal["adam", "adamw", "lion", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(2e-4, gt=0)
    beta_1: float = Field(0.5, ge=0, lt=1, description="adam, adamw, lion")
    beta_2: float = Field(0.999, ge=0, lt=1, description="adam, adamw, lion")
    momentum: float = Field(0, ge=0, lt=1, description="sgd, rmsprop")
    weight_decay: float = Field(0, ge=0, description="decoupled, adamw and lion")
    schedule: Literal["constant", "linear", "cosine", "exponential", "step", "half_linear"] = Field(
        "constant",
        description="over all updates of this player: to 0, to 0, to a hundredth, to a tenth half-way, or to 0 from "
        "half-way on",
    )
    warmup_updates: int = Field(0, ge=0, description="the rate rises from 0 over this many updates")
    clip_norm: float | None = Field(
        None, gt=0, description="bound of the norm of all gradients of this player together"
    )


class Health(Frozen):
    """What is done about a training that goes wrong."""

    action: Literal["warn", "stop", "roll_back"] = Field(
        "warn", description="at a verdict that is not healthy: log it, stop, or go back to the best checkpoint"
    )
    check_every_steps: int = Field(500, gt=0, description="how often samples are drawn and looked at")
    samples: int = Field(512, ge=64, le=4_096, description="generated examples that a look takes")


class Training(Frozen):
    """What the loop does in its last phase; earlier ones are fields of their scheme. One step updates the generator."""

    steps: int = Field(gt=0)
    batch_size: int = Field(64, gt=0, description="examples a step, over all replicas")
    generator_optimizer: Optimizer = Optimizer()
    discriminator_optimizer: Optimizer = Optimizer()
    ema_half_life_images: float = Field(10_000, ge=0, description="0 switches the average off")
    ema_ramp_up: float = Field(0, ge=0, description="the half-life is at most this share of the images so far; 0: none")
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    strategy: Literal["one_device", "mirrored", "multi_worker", "tpu"] = "mirrored"
    steps_per_call: int = Field(50, gt=0, description="steps in one call of the compiled loop")
    jit: bool = Field(
        False, description="XLA compiles a step whole, with other noise: faster for points, on one_device alone"
    )
    checkpoint_every_steps: int = Field(500, gt=0)
    sample_every_steps: int = Field(500, gt=0, description="how often a grid of samples is drawn")
    keep: Literal["best", "last"] = Field(
        "best", description="which weights are exported: those of the best look at samples, or of the last step"
    )
    health: Health = Health()
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _jit_is_for_one_device(self) -> Self:
        # XLA on CPUs has no collectives that a step on several replicas could call
        if self.jit and self.strategy != "one_device":
            raise ValueError(f"training.jit needs training.strategy=one_device; received {self.strategy}")
        return self
