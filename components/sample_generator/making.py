"""Makes pictures of all pictures of a folder by Beam's RunInference, going on where it was stopped."""

import hashlib
import posixpath
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference

from components.example_gen.images import GIVEN_PIXELS, BadImage, read_picture
from components.example_gen.sources.source import Fault
from components.example_gen.sources.trees import Directory
from components.sample_generator import kernel_files
from components.sample_generator.drawing import PARTS
from components.sample_generator.order import claim, model_digest
from models.export.reading import read_interface


class Work(NamedTuple):
    """What is to be made.

    Attributes:
        source: the folder of the pictures.
        model: directory of a SavedModel that takes pictures as files.
        output: the folder that receives what is made of them.
        files: the path of each picture below `source` -> that of what is made of it below `output`, a PNG file.
        faults: what claims to be a picture and cannot be opened.
        beside: what the model takes beside each picture, by name: the kernel of all, [1, side, side].
    """

    source: str
    model: str
    output: str
    files: dict[str, str]
    faults: list[Fault]
    beside: Mapping[str, np.ndarray]

    def missing(self) -> list[str]:
        """The pictures of which nothing is made yet."""
        return [name for name, made in self.files.items() if not tf.io.gfile.exists(f"{self.output}/{made}")]


def plan(source: str, model: str, output: str, kernel: Path | None = None) -> Work:
    """Finds out what is to be made; nothing is written.

    Args:
        source: see `Work`.
        model: see `Work`.
        output: see `Work`.
        kernel: a file of this machine, of what all pictures were blurred by.

    Raises:
        ValueError: the folder has no picture or lies around the output, or the model takes no picture; one line. Or as
            `kernel_files.beside`.
    """
    interface = read_interface(model)
    name = interface.by_file()
    if name is None:
        raise ValueError(f"{model} takes no picture, but draws by seed: leave --input out")
    beside = kernel_files.beside(interface.signatures[name], kernel, model)
    tree = Directory(source.rstrip("/"))
    tree.check()
    if f"{posixpath.abspath(output)}/".startswith(f"{posixpath.abspath(source)}/"):
        raise ValueError(f"what is made needs a folder outside of {source}; received {output}")
    listing = tree.listing()
    if not listing.images and not listing.faults:
        raise ValueError(f"{source} has no picture")
    plain = [f"{posixpath.splitext(name)[0]}.png" for name in listing.images]
    # of two pictures whose names differ by their endings alone, the endings stay
    files = {
        name: made if plain.count(made) == 1 else f"{name}.png"
        for name, made in zip(listing.images, plain, strict=True)
    }
    return Work(source.rstrip("/"), model, output, files, listing.faults, beside)


def make(work: Work, pipeline: beam.Pipeline) -> list[Fault]:
    """Makes what is missing.

    Each picture is written under a name of its own and renamed when it is whole: whatever is stopped, at any moment and
    on any worker, leaves whole pictures, and the same call makes the others. A bad one stops nobody.

    Args:
        work: what to make, and of what.
        pipeline: on any runner, whose workers reach all three folders; it is run.

    Returns:
        The pictures of which nothing could be made, with the reasons.

    Raises:
        ValueError: the output holds something else.
        RuntimeError: as the runner does.
    """
    told = {f"{name}_sha256": hashlib.sha256(values.tobytes()).hexdigest() for name, values in work.beside.items()}
    claim(work.output, {"model_sha256": model_digest(work.model), "input": work.source, **told})
    for folder in sorted({posixpath.dirname(made) for made in work.files.values()}):
        tf.io.gfile.makedirs(f"{work.output}/{folder}")
    tf.io.gfile.makedirs(f"{work.output}/{PARTS}")
    with pipeline:
        _ = (
            pipeline
            | "Pictures" >> beam.Create(work.missing())
            | "Spread" >> beam.Reshuffle()
            | "Make" >> RunInference(Making(work))
            | "Write" >> beam.Map(write, work)
        )
    tf.io.gfile.rmtree(f"{work.output}/{PARTS}")
    looked_at = [_opened(work, name) for name in work.missing()]
    return [*work.faults, *(each for each in looked_at if isinstance(each, Fault))]


class Making(ModelHandler[str, PredictionResult, Any]):
    """A translator or restorer as RunInference knows models: a worker loads it once, a picture is one inference."""

    def __init__(self, work: Work):
        super().__init__()
        # the list of all pictures does not travel to every worker
        self._work = work._replace(files={}, faults=[])
        interface = read_interface(work.model)
        self._name = str(interface.by_file())
        asked = interface.signatures[self._name]
        self._taken, self._given = asked.taken("input"), asked.given("target") or asked.given("input")

    def load_model(self) -> Any:
        """The SavedModel."""
        return tf.saved_model.load(self._work.model)

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """A picture by itself: sizes differ."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def run_inference(
        self, batch: Sequence[str], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """The PNG file that is made of each picture; None of a bad one."""
        for name in batch:
            sent = _opened(self._work, name)
            if isinstance(sent, Fault):
                yield PredictionResult(name, None)
                continue
            taken = {str(self._taken): [sent], **self._work.beside}
            answer = model.signatures[self._name](**{key: tf.constant(value) for key, value in taken.items()})
            yield PredictionResult(name, answer[self._given].numpy()[0])


def write(made: PredictionResult, work: Work) -> None:
    """Writes a picture by way of a name of its own: workers may make the same one, as runners repeat what is slow."""
    if made.inference is None:
        return
    new = f"{work.output}/{PARTS}/{uuid.uuid4().hex}"
    with tf.io.gfile.GFile(new, "wb") as file:
        file.write(made.inference)
    tf.io.gfile.rename(new, f"{work.output}/{work.files[made.example]}", overwrite=True)


def _opened(work: Work, name: str) -> bytes | Fault:
    """A picture as a model takes it: upright, opaque, 8 bits a channel."""
    ((_, content),) = Directory(work.source).read([name])
    if isinstance(content, Fault):
        return content
    try:
        return read_picture(content, None, pixel_limit=GIVEN_PIXELS).encoded
    except BadImage as error:
        return Fault(f"{work.source}/{name}", str(error))
