"""What `ganworks new` says: at the head of the file, and in the terminal."""

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from components import preflight
from pipeline.new.facts import Facts
from pipeline.new.looking import Look
from pipeline.new.pairing import Pairing
from pipeline.new.planning import Planned


def head(look: Look, page: str, command: str) -> Iterator[str]:
    """The comment at the head of the file."""
    yield f"Written by `{command}`."
    decoded = "all of them were decoded" if look.whole else f"{len(look.sample):,} of them were decoded"
    yield f"{len(look.seen):,} images were seen by their headers, and {decoded}: {page} shows them."
    yield "`ganworks show` prints all other fields, and `ganworks schema` says what they mean."


def table(look: Look, facts: Facts, planned: Planned) -> Table:
    """What was seen and what was chosen, in short."""
    rows = Table(box=None, pad_edge=False, show_header=False)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for name, words in [*_seen(look, facts), *_chosen(facts, planned)]:
        rows.add_row(Text(name, "bold"), Text(words))
    return rows


def next_lines(paired: Pairing | None, planned: Planned, output: Path, page: Path) -> Iterator[str]:
    """Where the files are, and what to type next; `paired` are the pairs that were seen, translated or not."""
    yield f"\nwrote {output}, and {page} with what was seen"
    if paired:
        yield from _of_pairs(paired, translated=planned.experiment.scheme.task == "translate")
    if not planned.experiment.evaluation.thresholds:
        yield "there are too few images to require anything of a model: every one would be blessed"
    try:
        preflight.check_weights(planned.experiment)
    except ValueError as error:
        # it ends with the command that brings them
        yield f"next: {str(error).rpartition(': ')[2]}, whose features judge these images"
        yield f"then: ganworks run {output}"
    else:
        yield f"next: ganworks run {output}"


def _of_pairs(paired: Pairing, *, translated: bool) -> Iterator[str]:
    """What pairs were seen, and how the other kind of experiment is had."""
    taken, drawn = paired.folders
    yield (
        f"these are {len(paired.partners):,} pairs, as it seems: {taken} and {drawn} have the same names and sizes, "
        "and edges in the same places"
    )
    if translated:
        yield f"the experiment draws {drawn} from {taken}; to draw new images of both instead: --task generate"
    else:
        yield f"to draw {drawn} from {taken} instead: --task translate"


def _seen(look: Look, facts: Facts) -> Iterator[tuple[str, str]]:
    sides = [each.side for each in look.seen]
    yield "images", f"{facts.images:,}" + (f", {facts.different:,} different" * (facts.different < facts.images))
    yield "shorter side", f"{min(sides)} to {max(sides)} pixels" if min(sides) < max(sides) else f"{sides[0]} pixels"
    yield "with colour", f"{100 * facts.coloured:.0f} %"
    yield "classes", f"{facts.classes} of {facts.of_each} images" if facts.classes else f"none: {facts.why_none}"
    if look.bad:
        yield "cannot be used", f"{look.bad:,}, such as {look.faults[0]}"
    if facts.near:
        yield "near duplicates", f"{facts.near:,} in {len(look.pairs):,} groups"


def _chosen(facts: Facts, planned: Planned) -> Iterator[tuple[str, str]]:
    experiment, rate = planned.experiment, planned.rate
    data, steps = experiment.data, experiment.training.steps
    yield "resolution", f"{data.resolution} x {data.resolution} x {data.channels}"
    counts = planned.chosen.counts
    yield (
        "split",
        ", ".join(f"{counts.of(split):,} {split}" for split in ("train", "choose", "eval") if counts.of(split)),
    )
    minutes = steps / rate.steps_per_second / 60
    yield "steps", f"{steps:,}, about {minutes:.0f} minutes at the {rate.steps_per_second:.3g} a second measured here"
    yield "required", ", ".join(experiment.evaluation.thresholds) or "nothing"
