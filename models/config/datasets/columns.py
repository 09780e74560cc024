"""What an example holds, in columns: what each is to the task, what it is made of, and what it is aligned with."""

from typing import Literal, NamedTuple

Role = Literal["target", "surroundings", "input", "label", "caption"]
"""`target` is what is to be drawn, `surroundings` the target with what lies around it, where inputs that are made of it
depend on that; `input` is what a model takes; `label` and `caption` say something of one of them."""


class Column(NamedTuple):
    """One column of the examples. Columns follow from the variant of data, never from what the data happen to hold.

    Attributes:
        role: what it is to the task; its name in a batch.
        kind: what it is made of: a column kind of the catalog, or `package.module:Kind`.
        shape: as networks see one value: [r, r, c] of an image, [2] of a point, [] of a label.
        group: columns of one group are aligned row by row; those of different groups are in no relation.
        classes: of a label: its number of values.
        fit: how an image of another shape is made a square: `crop`, `pad` or `stretch`.
        flip: whether training mirrors half of the images.
        margin: pixels beside each edge of a crop that `surroundings` show, too.
    """

    role: Role
    kind: str
    shape: tuple[int, ...] = ()
    group: int = 0
    classes: int = 0
    fit: str = "crop"
    flip: bool = False
    margin: int = 0


def aligned(columns: tuple[Column, ...]) -> bool:
    """True where an input and a target stand in one row: each output of a translator has one true answer then."""
    return any({"input", "target"} <= {each.role for each in group} for group in groups_of(columns))


def groups_of(columns: tuple[Column, ...]) -> tuple[tuple[Column, ...], ...]:
    """The columns by group, in the order of the groups."""
    numbers = sorted({column.group for column in columns})
    return tuple(tuple(column for column in columns if column.group == number) for number in numbers)
