"""The signatures of a GAN's SavedModel: what TF Serving answers, the same picture for the same seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from models import kernels
from models.columns import kind_of
from models.config import Experiment, OfImages
from models.export import picture_files
from models.export.describing import FILE, Describer, by_file, example_name
from models.export.interface import INTERFACE, Tensor
from models.export.tiles import Tiling, values_per_pixel
from models.pixels import bytes_of, files
from models.randomness import key


class Sampler:
    """What is exported: networks in float32, each behind a signature of its name, and what asks the main one by seed.

    A network's inputs decide its signature: `z` is noise, `code` an InfoGAN code, `label` a class; an example that it
    takes is served as `image` in [0, 1] or `point`, a `kernel` that it was blurred by as it is. Every signature has the
    batch first, of any size, and a row of its answer depends on the same row of what it is given alone.

    Args:
        networks: signature's name -> network that makes examples; the first is the main one.
        experiment: what made them.
        judges: signature's name -> discriminator, of single examples.
        classes: their names, by number; empty for numbers.
        tile: side of the tiles of which files of large images are made; None for one that bounds the memory of most
            networks to some hundred megabytes.

    Attributes:
        interface: says what each signature takes and gives.
    """

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        experiment: Experiment,
        judges: Mapping[str, keras.Model] | None = None,
        classes: Sequence[str] = (),
        tile: int | None = None,
    ):
        self.networks = dict(networks)
        self.judges = dict(judges or {})
        self.main = next(iter(networks.values()))
        self.experiment, self.data, self._tile = experiment, experiment.data, tile
        describer = Describer(experiment, self.networks, self.judges, classes)
        self.kind, self.interface = describer.kind, describer.interface()
        self._column_kind = kind_of(self.data.drawn)
        self._text = self.interface.to_json()  # here, as a graph cannot be made of what writes it
        self._files = {by_file(name): self.networks[name] for name in describer.takers()}

    def save(self, directory: str) -> None:
        """Writes the SavedModel."""
        tf.saved_model.save(holder(*self.networks.values(), *self.judges.values()), directory, self.signatures())

    def signatures(self) -> dict[str, Any]:
        """The signatures as concrete functions."""
        made = {name: self._answer(network, self._make) for name, network in self.networks.items()}
        made |= {name: self._answer(network, self._judge) for name, network in self.judges.items()}
        made |= {name: self._answer(network, self._make_of_files) for name, network in self._files.items()}
        methods = (self.sample, self.sample_truncated, self.sample_from_examples, self.interpolate, self.latent)
        made |= {method.__name__: method for method in methods if method.__name__ in self.interface.signatures}
        made[INTERFACE] = self.describe
        return {name: self._concrete(made[name], each.inputs) for name, each in self.interface.signatures.items()}

    @staticmethod
    def _concrete(method: Any, inputs: Mapping[str, Tensor]) -> Any:
        """A method as a function of arguments by these names."""
        specs = {name: tf.TensorSpec(each.shape, each.dtype, name) for name, each in inputs.items()}
        return tf.function(method).get_concrete_function(**specs)

    @property
    def _asks(self) -> bool:
        return "label" in self.main.input

    def _answer(self, network: keras.Model, answer: Any) -> Any:
        """A function of a network's inputs, by the names that are served, to its answer."""

        def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            if "label" in inputs:
                inputs["label"] = self._checked(inputs["label"])
            if "kernel" in inputs:
                inputs["kernel"] = kernels.checked(inputs["kernel"])
            return dict(answer(network, inputs))

        return serve

    def describe(self, row: tf.Tensor) -> dict[str, tf.Tensor]:
        """The interface, as TF Serving serves no assets.

        Args:
            row: [batch] int64, not read: TF Serving's REST API refuses a signature that takes nothing, and its batches
                want a row of the answer for each of theirs.

        Returns:
            interface: [batch] string, JSON; every row the same.
        """
        return {INTERFACE: tf.fill(tf.shape(row), self._text)}

    def _make(self, network: keras.Model, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`image` [batch, h, w, c] float32 in [0, 1], or `point` [batch, 2] float32."""
        given = dict(inputs)
        if self.kind in given:
            taken = _checked_sides(given.pop(self.kind), self.interface.size_multiple)
            given[example_name(judging=False)] = self._column_kind.inside(taken)
        return {self.kind: self._column_kind.outside(network(given, training=False))}

    def _make_of_files(self, network: keras.Model, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`image_bytes` [batch] string, PNG, of files: fitted to a network of one size, else as large as they are."""
        if None not in network.input[example_name(judging=False)].shape[1:]:
            return picture_files.of_squares(network, inputs, self._pixel_limit)
        return picture_files.of_any_size(network, inputs, self._pixel_limit, self._tiling(network))

    def _tiling(self, network: keras.Model) -> Tiling:
        """How a large image is cut for a network."""
        told = self.interface
        values = values_per_pixel(network, told.size_multiple)
        return Tiling(told.size_multiple, told.halo, told.scale, values, self._tile)

    @property
    def _pixel_limit(self) -> int:
        """The pixels that a file may decode to, as in ingestion; data of a user's own kind may not say it."""
        default = OfImages.model_fields["pixel_limit"].default
        return min(getattr(domain, "pixel_limit", default) for domain in self.data.domains)

    def _judge(self, network: keras.Model, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`logit` [batch] float32 and `probability`, its sigmoid: D(x) of a game of cross-entropies, else a score.

        Of a map of logits it is the mean over all places.
        """
        given = dict(inputs)
        beside = example_name(judging=False)
        if beside in given:
            given[beside] = self._column_kind.inside(given[beside])
        given[example_name(judging=True)] = self._column_kind.inside(given.pop(self.kind))
        answers = network(given, training=False)
        logit = answers["logit"] if isinstance(answers, dict) else answers
        if len(logit.shape) > 1:
            logit = tf.reduce_mean(logit, axis=list(range(1, len(logit.shape))))
        return {"logit": logit, "probability": tf.sigmoid(logit)}

    def sample(self, seed: tf.Tensor, label: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """Seeds to PNG files or points.

        Args:
            seed: [batch] int64.
            label: [batch] int64, of a conditional model.

        Returns:
            image_bytes: [batch] string, PNG; or point: [batch, 2] float32.
        """
        return self._drawn(self.latent(seed), label)

    def sample_truncated(
        self, seed: tf.Tensor, truncation: tf.Tensor, label: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Like `sample`, of noise within so many standard deviations: less variety, more typical pictures.

        The noise is the quantile, in the truncated normal distribution, of the seed's own noise in the normal one: a
        picture changes little by little as the bound falls, and far out it is that of `sample`.

        Args:
            seed: [batch] int64.
            truncation: [batch] float32, > 0.
            label: [batch] int64, of a conditional model.

        Returns:
            As `sample`.

        Reference: Brock, Donahue & Simonyan 2019, section 3.1, who draw again what lies outside.
        """
        rule = tf.debugging.assert_positive(truncation, "truncation is above 0, in standard deviations")
        with tf.control_dependencies([rule]):
            bound = tf.cast(truncation, tf.float64)[:, tf.newaxis]
        latent = self.latent(seed)
        share = _normal_cdf(tf.cast(latent["z"], tf.float64))
        low, high = _normal_cdf(-bound), _normal_cdf(bound)
        latent["z"] = tf.cast(tf.math.ndtri(low + share * (high - low)), tf.float32)
        return self._drawn(latent, label)

    def sample_from_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Like `sample`, asked by serialized tf.Examples: what BulkInferrer and RunInference send.

        Args:
            examples: [batch] string, each with the int64 `seed` and, of a conditional model, `label`.

        Returns:
            image_bytes: [batch, 1] string, PNG; or point: [batch, 2] float32.
        """
        number = tf.io.FixedLenFeature([], tf.int64)
        asked = tf.io.parse_example(examples, {"seed": number} | ({"label": number} if self._asks else {}))
        drawn = self.sample(asked["seed"], asked.get("label"))
        # tfx_bsl's RunInference reads a type off each row, which a row that is one string does not have
        return {name: value[:, tf.newaxis] if value.dtype == tf.string else value for name, value in drawn.items()}

    def interpolate(
        self, seed: tf.Tensor, other_seed: tf.Tensor, share: tf.Tensor, label: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """What lies between two samples: along the sphere on which noise lies, along a line for codes.

        Args:
            seed: [batch] int64, of the sample at share 0.
            other_seed: [batch] int64, of that at share 1.
            share: [batch] float32, of the way.
            label: [batch] int64, of a conditional model.

        Returns:
            As `sample`.

        Reference: White 2016, section 2.1.
        """
        start, end, share = self.latent(seed), self.latent(other_seed), share[:, tf.newaxis]
        cosine = tf.reduce_sum(tf.nn.l2_normalize(start["z"], 1) * tf.nn.l2_normalize(end["z"], 1), 1, keepdims=True)
        angle = tf.acos(tf.clip_by_value(cosine, -1, 1))
        parts = [tf.math.divide_no_nan(tf.sin(part * angle), tf.sin(angle)) for part in (1 - share, share)]
        # on one line through 0, as of a seed with itself, there is no sphere to follow
        parts = [
            tf.where(tf.sin(angle) > 1e-4, part, line) for part, line in zip(parts, (1 - share, share), strict=True)
        ]
        way = {"z": parts[0] * start["z"] + parts[1] * end["z"]}
        if "code" in start:
            way["code"] = (1 - share) * start["code"] + share * end["code"]
        return self._drawn(way, label)

    def latent(self, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `sample` makes an example of: for arithmetic, whose result `serving_default` takes.

        Args:
            seed: [batch] int64.

        Returns:
            z: [batch, latent.size] float32, standard normal; and `code` of a model with codes, [batch, codes].
        """
        # one stream a seed, by an algorithm that is the same on every device
        latent = self.experiment.latent
        categories = latent.categorical_codes

        def noise(each: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_normal([latent.size], key(each, 0, "z"), alg="philox")

        def code(each: tf.Tensor) -> tf.Tensor:
            drawn = tf.random.stateless_uniform([1 + latent.continuous_codes], key(each, 0, "code"), alg="philox")
            picked = tf.one_hot(tf.cast(drawn[0] * categories, tf.int32), categories)
            return tf.concat([picked, 2 * drawn[1:] - 1], 0)

        drawn = {"z": tf.map_fn(noise, seed, fn_output_signature=tf.float32)}
        if "code" in self.main.input:
            drawn["code"] = tf.map_fn(code, seed, fn_output_signature=tf.float32)
        return drawn

    def _drawn(self, latent: Mapping[str, tf.Tensor], label: tf.Tensor | None) -> dict[str, tf.Tensor]:
        """The examples as a client wants them: PNG files, or values as they are."""
        x = self.main({**latent} | ({} if label is None else {"label": self._checked(label)}), training=False)
        return {FILE: files(bytes_of(x))} if self.kind == "image" else {self.kind: self._column_kind.outside(x)}

    def _checked(self, label: tf.Tensor) -> tf.Tensor:
        """The label; one that there is not is an error of the request, where a device would take any number."""
        last = self.data.classes - 1
        rules = [
            tf.debugging.assert_non_negative(label, f"label is 0 to {last}"),
            tf.debugging.assert_less_equal(label, tf.constant(last, label.dtype), f"label is 0 to {last}"),
        ]
        with tf.control_dependencies(rules):
            return tf.identity(label)


def holder(*networks: keras.Model) -> tf.Module:
    """What a SavedModel is made of: the variables of these networks.

    Not the networks themselves. Keras puts a copy beside each of their variables, and a checkpoint restores the copies:
    TensorFlow's Python finds its way from there, TF Serving runs into variables that were never set.
    """
    module = tf.Module()
    module.variables_of_networks = [variable.value for network in networks for variable in network.variables]
    return module


def _checked_sides(x: tf.Tensor, multiple: int) -> tf.Tensor:
    """Images, [batch, h, w, c]; sides that the network cannot take are an error of the request."""
    if multiple == 1:
        return x
    rule = tf.debugging.assert_equal(
        tf.shape(x)[1:3] % multiple, 0, f"both sides of an image are multiples of {multiple}; received, modulo that"
    )
    with tf.control_dependencies([rule]):
        return tf.identity(x)


def _normal_cdf(z: tf.Tensor) -> tf.Tensor:
    return tf.math.erfc(-z / tf.sqrt(tf.constant(2, z.dtype))) / 2
