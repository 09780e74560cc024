"""Training curves and clouds of points as inline SVG, drawn with the colours of the page that holds them."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from markupsafe import Markup, escape

WIDTH, HEIGHT = 520, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 32
POINTS = 240
CLOUD = 400

Curve = Sequence[tuple[float, float]]


def line_chart(
    title: str, curves: Mapping[str, Curve], *, y_range: tuple[float, float] | None = None, guide: float | None = None
) -> Markup:
    """A line chart: each curve faint as it was logged and strong as its running mean.

    Args:
        title: what the chart shows, for those who hear the page.
        curves: name -> (step, value) in order of steps; values that are not finite are left out.
        y_range: the axis's ends; the data's without.
        guide: a value to mark by a dashed line.

    Returns:
        An SVG element, whose curves have the classes `c0`, `c1`, ...; empty when no curve has two finite points.
    """
    finite = {name: [(x, y) for x, y in curve if math.isfinite(y)] for name, curve in curves.items()}
    points = [point for curve in finite.values() for point in curve]
    if max(map(len, finite.values()), default=0) < 2:
        return Markup("")
    x_high = max(x for x, _ in points) or 1
    y_low, y_high = y_range or _padded(*_percentiles([y for _, y in points]))

    def place(x: float, y: float) -> str:
        across = LEFT + x / x_high * (WIDTH - LEFT - RIGHT)
        up = (min(max(y, y_low), y_high) - y_low) / (y_high - y_low)
        return f"{across:.1f},{HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [_grid(y_low, y_high, x_high, place)]
    if guide is not None:
        parts.append(_polyline("guide", [place(0, guide), place(x_high, guide)]))
    for index, curve in enumerate(finite.values()):
        thin = _thinned(curve)
        parts.append(_polyline(f"c{index} raw", [place(*point) for point in thin]))
        parts.append(_polyline(f"c{index}", [place(*point) for point in _smoothed(thin)]))
    ends = "; ".join(f"{name} ends at {_smoothed(curve)[-1][1]:.3g}" for name, curve in finite.items() if curve)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, f"{title} over {x_high:,.0f} steps; {ends}", Markup("").join(parts)
    )


def scatter(title: str, clouds: Mapping[str, np.ndarray], *, reach: float) -> Markup:
    """Points of the plane as dots.

    Args:
        title: what is shown, for those who hear the page.
        clouds: class of the dots -> points [n, 2], the later ones above.
        reach: the picture shows -reach to reach on both axes, > 0; what lies outside is counted in its label.

    Returns:
        An SVG element.
    """
    paths, outside = [], 0
    for css, points in clouds.items():
        inside = points[(np.abs(points) <= reach).all(axis=1)]
        outside += len(points) - len(inside)
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in (inside * [1, -1] / reach + 1) * CLOUD / 2)
        paths.append(Markup('<path class="{}" d="{}"/>').format(css, dots))
    label = f"{title}, {-reach:.3g} to {reach:.3g} on both axes" + (
        f"; {outside} points lie outside" if outside else ""
    )
    return Markup('<svg class="cloud" viewBox="0 0 {0} {0}" role="img" aria-label="{1}">{2}</svg>').format(
        CLOUD, label, Markup("").join(paths)
    )


def _grid(y_low: float, y_high: float, x_high: float, place: Callable[[float, float], str]) -> Markup:
    parts = []
    for value in ticks(y_low, y_high, 5):
        start, end = place(0, value), place(x_high, value)
        parts.append(_polyline("grid", [start, end]))
        parts.append(_text(LEFT - 8, float(start.split(",")[1]) + 4, f"{value:g}", "end"))
    for value in ticks(0, x_high, 5):
        across = float(place(value, y_low).split(",")[0])
        parts.append(_text(min(across, WIDTH - RIGHT - 14), HEIGHT - 10, _steps(value), "middle"))
    return Markup("").join(parts)


def ticks(low: float, high: float, count: int) -> list[float]:
    """About so many round values from low to high."""
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _steps(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _percentiles(values: list[float]) -> tuple[float, float]:
    """The ends without the most extreme hundredth on either side: one spike must not flatten a curve."""
    ordered = sorted(values)
    cut = len(ordered) // 100
    return ordered[cut], ordered[-1 - cut]


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    return (0 if 0 <= low < high / 2 else low - pad), high + pad


def _thinned(curve: Curve) -> list[tuple[float, float]]:
    """At most POINTS points, each the mean of its neighbours."""
    size = math.ceil(len(curve) / POINTS)
    groups = [curve[start : start + size] for start in range(0, len(curve), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _smoothed(curve: Curve) -> list[tuple[float, float]]:
    """Means over a window of a fifteenth of the points around each."""
    reach = len(curve) // 30
    windows = (curve[max(0, i - reach) : i + reach + 1] for i in range(len(curve)))
    return [(x, sum(y for _, y in window) / len(window)) for (x, _), window in zip(curve, windows, strict=True)]


def _polyline(css: str, points: list[str]) -> Markup:
    return Markup('<polyline class="{}" points="{}"/>').format(css, " ".join(points))


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        round(x, 1), round(y, 1), anchor, escape(text)
    )
