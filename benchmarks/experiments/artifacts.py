"""What a run left that other judgements can be made with: its examples, and the extractor that judged it."""

from typing import TYPE_CHECKING

from models.config import Experiment
from pipeline.records import Artifact, Records

if TYPE_CHECKING:
    from components.gan_evaluator.measuring.instruments import Instruments
    from components.gan_evaluator.measuring.reference import Reference


def examples(known: Records, split: str) -> str:
    """The file pattern of a split's transformed examples, which may lie in the root that runs share.

    Raises:
        ValueError: the run has none.
    """
    return f"{_made(known, 'Transform', 'transformed_examples').uri}/Split-{split}/*"


def extractor(known: Records) -> str:
    """The directory of the extractor's SavedModel. Raises ValueError where the run has none."""
    return f"{_made(known, 'FeatureTrainer', 'model').uri}/Format-Serving"


def instruments(known: Records, experiment: Experiment, samples: int | None = None) -> "tuple[Instruments, Reference]":
    """What measures as the model of a run was measured, and the real examples that it measures against.

    Args:
        known: what the run made.
        experiment: of the run.
        samples: examples to measure; None for as many as the experiment says.

    Raises:
        ValueError: the run has no examples or no extractor; or as `read_reference` does.
    """
    from components.beam import local_pipeline
    from components.gan_evaluator.measuring.instruments import Instruments
    from components.gan_evaluator.measuring.reference import read_reference
    from components.gan_evaluator.measuring.settings import Settings

    settings = Settings.of(experiment, samples=samples)
    reference = read_reference([examples(known, "train")], [examples(known, settings.split)], settings)
    return Instruments(settings, reference, extractor(known), local_pipeline), reference


def _made(known: Records, stage: str, output: str) -> Artifact:
    found = known.latest(stage, output)
    if found is None:
        raise ValueError(f"{known.root} holds nothing that {stage} made: that run is to be done again")
    return found
