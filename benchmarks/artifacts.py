"""What a run left that other judgements can be made with: its examples, and the extractor that judged it."""

from pipeline.records import Artifact, Records


def examples(known: Records, split: str) -> str:
    """The file pattern of a split's transformed examples, which may lie in the root that runs share.

    Raises:
        ValueError: the run has none.
    """
    return f"{_made(known, 'Transform', 'transformed_examples').uri}/Split-{split}/*"


def extractor(known: Records) -> str:
    """The directory of the extractor's SavedModel. Raises ValueError where the run has none."""
    return f"{_made(known, 'FeatureTrainer', 'model').uri}/Format-Serving"


def _made(known: Records, stage: str, output: str) -> Artifact:
    found = known.latest(stage, output)
    if found is None:
        raise ValueError(f"{known.root} holds nothing that {stage} made: that run is to be done again")
    return found
