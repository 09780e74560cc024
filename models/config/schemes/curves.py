"""What of a training's history is drawn, as each scheme declares it."""

from typing import NamedTuple


class Chart(NamedTuple):
    """Curves on one pair of axes.

    Attributes:
        title: what they show.
        curves: name -> key of the history's rows.
        note: what to know to read them.
        between: the ends of the upright axis; None for those of the values.
        guide: a value to mark by a dashed line.
    """

    title: str
    curves: dict[str, str]
    note: str
    between: tuple[float, float] | None = None
    guide: float | None = None


def of_players(names: dict[str, str]) -> tuple[Chart, ...]:
    """The charts of adversarial players.

    Args:
        names: what follows the letter of a player in the keys, such as "" or "_reverse" -> how its direction is called.
    """

    def keys(*curves: tuple[str, str]) -> dict[str, str]:
        return {f"{name}{called}": key.format(way) for way, called in names.items() for name, key in curves}

    return (
        Chart(
            "Losses",
            keys(("discriminator", "d{}_loss"), ("generator", "g{}_loss")),
            "What each player minimises. Neither has to fall: they play against each other.",
        ),
        Chart(
            "Discriminator accuracy",
            keys(("real", "d{}_real_accuracy"), ("generated", "d{}_fake_accuracy")),
            "Shares of examples that the discriminator knows; the dashed line is guessing.",
            (0.0, 1.0),
            0.5,
        ),
        Chart(
            "Pairs in the right order",
            keys(("real above generated", "d{}_auc")),
            "How often a real example has a higher logit than a generated one; the dashed line is guessing.",
            (0.0, 1.0),
            0.5,
        ),
    )
