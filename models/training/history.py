"""What a training logged, row by row, in a file that is always whole."""

import json
import math

from etils import epath

from models.files import writing

DISTANCE = "look_distance"
"""The key of a row with a look at samples: how far they are from real examples, the less the better."""


class History:
    """JSON lines, written with the checkpoints, so that a resumed run repeats no line.

    Attributes:
        path: of the file.
        rows: a row a call of the compiled loop, by step.
    """

    def __init__(self, path: epath.PathLike):
        self.path = epath.Path(path)
        self.rows: list[dict[str, float]] = []

    def load(self, up_to: int) -> list[dict[str, float]]:
        """Keeps the rows up to a step, of this run or, where it has none yet, of an earlier one; returns them."""
        if not self.rows and self.path.exists():
            self.rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        self.rows = [row for row in self.rows if row["step"] <= up_to]
        return self.rows

    def add(self, row: dict[str, float]) -> None:
        """Keeps a row."""
        self.rows.append(row)

    def best(self, figure: str = DISTANCE, after: int = 0) -> dict[str, float] | None:
        """The row of the best look after a step, the later of equals; None before the first that is finite.

        Args:
            figure: of a look, the less the better.
            after: a step.
        """
        looks = [row for row in self.rows if math.isfinite(row.get(figure, math.nan)) and row["step"] > after]
        return min(reversed(looks), key=lambda row: row[figure]) if looks else None

    def save(self) -> None:
        """Writes all rows at once, through a new file that replaces the old.

        Raises:
            CannotWrite: the file system refuses.
        """
        new = self.path.with_suffix(".new")
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
            new.replace(self.path)
