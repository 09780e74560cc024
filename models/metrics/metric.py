"""What the catalog says of a metric."""

from typing import Literal, NamedTuple

Kind = Literal["images", "stacked", "points"]
"""What an example is: an image, an image of three digits one a channel, or a point of the plane."""

Under = Literal["own", "inception_v3", "pretrained"]
"""Whose features are looked at: those of a classifier trained on the data, of Inception, of another network."""


Need = Literal["mixture", "classes", "labels", "training", "truth", "inputs", "back"]
"""What not every judgement has: a mixture that real points are drawn from, classes that a classifier tells apart, a
class that is asked for, training examples that the judged ones may repeat, the true answer of each output, what it was
made of, what the way back makes of it."""

TASKS = ("generate", "translate", "restore")


class Metric(NamedTuple):
    """A line of METRICS.

    Attributes:
        line: `module:function`. The function's parameters say what it is given: any of real_features, fake_features,
            real_images, fake_images, real_points, fake_points, real_labels, fake_labels, fake_probabilities,
            fake_inception_probabilities, train_features, neighbourhoods, mixture; true_images, true_points,
            true_features (what each output ought to be); fake_inputs and fake_back. Examples of a user's own kind are
            points to it, whatever their shape. One with a default is given where there is any.
        better: which direction is good.
        measures: what it says, for a reader of the report.
        fault: what is wrong with a generator that fails it.
        of: the kinds of data that have it; all of them, a user's own too, where none is named.
        tasks: the tasks that have it; a user's own has those of all.
        under: whose features it can be of, as some names are those of Inception's alone.
        over: parts of as many generated examples as there are real ones, for what depends on their number; or all.
        share: whether it is a share of examples, so that its error is bounded before anything is measured.
        least: examples of each side that it takes without which it has no value.
        least_of_feature: likewise for each feature of a pretrained network.
        least_of_class: likewise of each class, of what is measured class by class.
        needs: what it has no value without, as its parameters without a default say.
    """

    line: str
    better: Literal["higher", "lower"]
    measures: str
    fault: str
    of: tuple[Kind, ...] = ()
    tasks: tuple[str, ...] = TASKS
    under: tuple[Under, ...] = ("own", "inception_v3", "pretrained")
    over: Literal["parts", "all"] = "parts"
    share: bool = False
    least: int = 20
    least_of_feature: int = 0
    least_of_class: int = 0
    needs: tuple[Need, ...] = ()

    @property
    def has_floor(self) -> bool:
        """True where real examples have a value against real ones: they repeat nothing, and were made of nothing."""
        return not {"training", "truth", "inputs", "back"} & set(self.needs)

    def suits(self, kind: str | None) -> bool:
        """True where a kind of data has it; None stands for any."""
        return kind is None or not self.of or kind in self.of
