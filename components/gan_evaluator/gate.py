"""Thresholds against metrics: the verdict and its reason in words."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from models.config import Evaluation, Threshold
from models.metrics.bounds import NOTICED, refusing_errors, shortfall_to_notice
from models.metrics.estimate import Estimate
from models.metrics.parts import student

Comparison = Literal["better", "no worse", "worse"]


@dataclasses.dataclass(frozen=True)
class Line:
    """One metric and how it was judged.

    Attributes:
        value: the model's, None where it could not be estimated.
        uncertainty: its standard error, None where it has none.
        threshold: what was required, None for nothing.
        floor: the same metric of real training images in the place of generated ones.
        floor_uncertainty: its standard error.
        baseline: the latest blessed model's value.
        baseline_uncertainty: its standard error.
        against_baseline: what the difference amounts to once noise is counted, see `compare`; None without a baseline.
        holds: whether no bound is shown to be missed, None without a threshold.
        verdict: in words.
        required: every bound in words, and `limits` in figures.
        limits: see `required`.
        errors: of the comparison with each limit, the standard error; both sides have one.
        notices: for each limit, the shortfall that would be noticed with 95 % probability.
        blunt: which bound notices less than `evaluation` asks, and which count to raise; empty where all are sharp.
        per_class: the values of class 0, 1, ...
        better: the good direction; None where there is none.
        measures: what the metric says.
        protocol: as `Estimate` has it, and `counts` too.
        counts: see `protocol`.
        untouched: that of the inputs in the place of the outputs; None where these are no images, or have no truth.
        untouched_uncertainty: its standard error.
    """

    value: float | None
    uncertainty: float | None
    threshold: Threshold | None
    floor: float | None
    floor_uncertainty: float | None
    baseline: float | None
    baseline_uncertainty: float | None
    against_baseline: Comparison | None
    holds: bool | None
    verdict: str
    required: tuple[str, ...]
    limits: tuple[float, ...]
    errors: tuple[float, ...]
    notices: tuple[float, ...]
    blunt: str
    per_class: tuple[float, ...]
    better: Literal["higher", "lower"] | None
    measures: str
    protocol: str
    counts: dict[str, int]
    untouched: float | None = None
    untouched_uncertainty: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values, in which what is not finite is None."""
        tree = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        tree["threshold"] = self.threshold and self.threshold.model_dump(exclude_none=True)
        tree["per_class"] = [finite(value) for value in self.per_class]
        tree |= {key: list(tree[key]) for key in ("required", "limits", "errors", "notices")}
        figures = ("value", "uncertainty", "floor", "floor_uncertainty", "baseline", "baseline_uncertainty")
        if self.untouched is None:
            del tree["untouched"], tree["untouched_uncertainty"]
        return tree | {key: finite(tree[key]) for key in figures}


def judge_metric(
    estimate: Estimate | None,
    threshold: Threshold | None,
    *,
    evaluation: Evaluation,
    floor: Estimate | None,
    baseline: Estimate | None,
    better: Literal["higher", "lower"] | None,
    measures: str,
    missing: str = "",
    untouched: Estimate | None = None,
) -> Line:
    """Holds one metric against its threshold.

    Args:
        estimate: the model's, or None.
        threshold: what is required, or None.
        evaluation: how sure a refusal has to be, and how blunt a bound may be.
        floor: real against real, where the metric has it.
        baseline: the latest blessed model's, where there is one.
        better: the good direction.
        measures: what the metric says.
        missing: why there is no estimate.
        untouched: that of the inputs in the place of outputs.
    """
    if estimate is not None and not math.isfinite(estimate.value):
        estimate, missing = None, "it is not finite"
    floor, baseline, untouched = (
        each if each and math.isfinite(each.value) else None for each in (floor, baseline, untouched)
    )
    value, uncertainty = _figures(estimate)
    z = refusing_errors(evaluation)
    bounds = list(_bounds(threshold, estimate, floor, baseline, better)) if threshold else []
    failed = [bound for bound in bounds if value is not None and not bound.met_by(value, z)]
    inside = [bound for bound in bounds if value is not None and not bound.met_by(value, 0)]
    if value is None:
        verdict = f"cannot be estimated: {missing}"
    elif failed:
        told = max((apart(value, bound.limit) for bound in failed), key=len)
        verdict = f"{told}, must be {' and '.join(bound.words(value) for bound in failed)}"
    elif inside:
        verdict = "holds: what is missing may be chance"
    else:
        verdict = "holds" if threshold else "no threshold"
    known = [bound for bound in bounds if math.isfinite(bound.limit)]
    blunt = [] if threshold is None or estimate is None else [_blunt(each, threshold, evaluation) for each in known]
    return Line(
        value=value,
        uncertainty=uncertainty,
        threshold=threshold,
        floor=_figures(floor)[0],
        floor_uncertainty=_figures(floor)[1],
        baseline=_figures(baseline)[0],
        baseline_uncertainty=_figures(baseline)[1],
        against_baseline=compare(estimate, baseline, better, z) if estimate and baseline and better else None,
        holds=None if threshold is None else value is not None and not failed,
        verdict=verdict,
        required=tuple(bound.words(value) for bound in bounds),
        limits=tuple(bound.limit for bound in known),
        errors=tuple(bound.error for bound in known),
        notices=tuple(bound.notices(z) for bound in known),
        blunt="; ".join(filter(None, blunt)),
        per_class=estimate.per_class if estimate else (),
        better=better,
        measures=measures,
        untouched=_figures(untouched)[0],
        untouched_uncertainty=_figures(untouched)[1],
        protocol=estimate.protocol if estimate else "",
        counts=estimate.counts if estimate else {},
    )


def compare(estimate: Estimate, baseline: Estimate, better: Literal["higher", "lower"], z: float) -> Comparison:
    """What the difference of two models amounts to.

    Both are measured with the same real examples, noise and labels, which move both alike, so that the true error of
    the difference is rather smaller than that which is counted: a model is not called worse for what may be chance.

    Args:
        estimate: the model's.
        baseline: the latest blessed model's.
        better: the good direction.
        z: standard errors of the difference that are noise.

    Returns:
        "no worse" for a difference within its noise, to whichever side.
    """
    gain = (estimate.value - baseline.value) * (1 if better == "higher" else -1)
    error, freedom = _together(*((each.uncertainty or 0.0, each.freedom) for each in (estimate, baseline)))
    if abs(gain) <= student(z, freedom) * error:
        return "no worse"
    return "better" if gain > 0 else "worse"


def _figures(estimate: Estimate | None) -> tuple[float | None, float | None]:
    return (estimate.value, estimate.uncertainty) if estimate else (None, None)


class Bound(NamedTuple):
    """One limit of a threshold; NaN, which nothing meets, where what it refers to has no value.

    Attributes:
        limit: that a value has to reach.
        lower: whether it is a lower limit.
        error: the standard error of the value's distance from the limit, were it on the limit.
        freedom: degrees of freedom of this error.
        own: the share of the squared error that is the model's; the rest is that of what it is compared with.
        source: what the limit comes from, in words.
    """

    limit: float
    lower: bool
    error: float = 0.0
    freedom: float = math.inf
    own: float = 1.0
    source: str = ""

    def met_by(self, value: float, z: float) -> bool:
        """False where the value is shown, by z standard errors, to lie on the wrong side."""
        slack = student(z, self.freedom) * self.error
        return value + slack >= self.limit if self.lower else value - slack <= self.limit

    def notices(self, z: float) -> float:
        """The shortfall that is refused with 95 % probability."""
        return (student(z, self.freedom) + NOTICED) * self.error

    def words(self, value: float | None) -> str:
        """The limit in words, told apart from the value."""
        if math.isnan(self.limit):
            return f"near a value that this metric does not have ({self.source})"
        source = f" ({self.source})" if self.source else ""
        return f"{'at least' if self.lower else 'at most'} {apart(self.limit, value)}{source}"


def _bounds(
    threshold: Threshold,
    estimate: Estimate | None,
    floor: Estimate | None,
    baseline: Estimate | None,
    better: Literal["higher", "lower"] | None,
) -> Iterator[Bound]:
    """The bounds that apply, each with its error; without a blessed model there is nothing to be worse than."""

    def bound(limit: float, lower: bool, other: Estimate | None = None, source: str = "") -> Bound:
        mine = (estimate.error_if(limit), estimate.freedom) if estimate else (0.0, None)
        theirs = (other.uncertainty or 0.0, other.freedom) if other else (0.0, None)
        error, freedom = _together(mine, theirs)
        return Bound(limit, lower, error, freedom, (mine[0] / error) ** 2 if error else 1.0, source)

    if threshold.at_least is not None:
        yield bound(threshold.at_least, True)
    if threshold.at_most is not None:
        yield bound(threshold.at_most, False)
    lower = better == "higher"
    if threshold.within_floor is not None:
        slack = -threshold.within_floor if lower else threshold.within_floor
        limit = math.nan if floor is None or better is None else floor.value + slack
        yield bound(limit, lower, floor, f"real against real: {number(_figures(floor)[0])}")
    if threshold.within_blessed is not None and baseline is not None:
        slack = threshold.within_blessed * abs(baseline.value)
        limit = math.nan if better is None else baseline.value - slack if lower else baseline.value + slack
        yield bound(limit, lower, baseline, f"latest blessed model: {number(baseline.value)}")


def _together(*errors: tuple[float, int | None]) -> tuple[float, float]:
    """The error of a sum or difference, and its degrees of freedom (Welch 1947, Satterthwaite 1946)."""
    total = math.hypot(*(error for error, _ in errors))
    spread = sum(error**4 / freedom for error, freedom in errors if freedom)
    return total, total**4 / spread if spread else math.inf


def _blunt(bound: Bound, threshold: Threshold, evaluation: Evaluation) -> str:
    """What is to be said of a bound that notices less than is asked; nothing of one that is sharp enough."""
    found = bound.notices(refusing_errors(evaluation))
    allowed = shortfall_to_notice(evaluation, threshold, bound.limit)
    if found <= allowed:
        return ""
    times = (found / allowed) ** 2
    if bound.own >= 0.5:
        remedy = f"about {number(times, 2)} times as many generated examples (evaluation.samples) would tell"
    else:
        remedy = f"about {number(times, 2)} times as many held-out and training examples would tell"
    return f"a shortfall below {number(found, 2)} goes unnoticed where {number(allowed, 2)} is to be seen; {remedy}"


def reason_of(lines: Mapping[str, Line], faults: Mapping[str, str]) -> tuple[bool, str]:
    """Says whether the model is blessed, and why, in one sentence.

    Args:
        lines: of all metrics.
        faults: metric -> what is wrong with a model that fails it.
    """
    failed = {name: line for name, line in lines.items() if line.holds is False}
    held = [f"{name} {number(line.value)}" for name, line in lines.items() if line.holds]
    if failed:
        sentences = (
            f"{name} {'is' if line.value is not None else ''} {line.verdict}: {faults.get(name, 'out of its bounds')}"
            for name, line in failed.items()
        )
        return False, "refused: " + "; ".join(" ".join(each.split()) for each in sentences)
    if not held:
        return True, "blessed: the experiment sets no threshold, so nothing was required"
    return True, f"blessed: every threshold holds ({', '.join(held)})"


def apart(value: float | None, other: float | None) -> str:
    """The value with as many digits as tell it from the other: 0.5998 beside 0.6, not 0.6 beside 0.6."""
    for digits in range(3, 9):
        if number(value, digits) != number(other, digits):
            return number(value, digits)
    return number(value)


def number(value: float | None, digits: int = 3) -> str:
    """A figure of so many significant digits, without exponent where it reads well; a dash for none."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        decimals = digits if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits - 1}e}"


def finite(value: float | None) -> float | None:
    """The value, None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None
