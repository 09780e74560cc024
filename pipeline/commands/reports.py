"""Finds the evaluator's reports of finished runs."""

from pathlib import Path

from pipeline.commands.lineage import stopped
from pipeline.records import STORE, read

RUNS = Path("runs")
"""Where `ganworks run` puts a run that is given no other root."""


def latest(root: Path | None = None) -> Path:
    """The page of the latest judgement.

    Args:
        root: of a run; by default all below `runs/` are asked, and the one that judged last answers.

    Raises:
        ValueError: there is no run, none was judged, or the page was deleted.
    """
    if root is None:
        roots = sorted(file.parent for file in RUNS.glob(f"*/{STORE}"))
        if not roots:
            raise ValueError(f"a report is made by `ganworks run`; {RUNS.resolve()} holds no run, name another --root")
    else:
        roots = [root]
        if not (root / STORE).is_file():
            raise ValueError(f"a report is made by `ganworks run`; {root} is not the root of a run")
    judged = {last.began: known for known in map(read, roots) if (last := known.last("GanEvaluator"))}
    if not judged:
        why = stopped(read(root)) if root else f"none of the {len(roots)} runs in {RUNS} got that far"
        raise ValueError(f"a report is made when a model is judged; {why}")
    known = judged[max(judged)]
    evaluation = known.latest("GanEvaluator", "evaluation")
    page = known.path(evaluation) / "report.html" if evaluation else known.root
    if not page.is_file():
        raise ValueError(f"the latest report is gone; it was {page}")
    return page
