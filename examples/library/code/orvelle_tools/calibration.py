"""Corrections that turn a raw reading into a physical value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from statistics import median

Point = tuple[float, float]


def fit_line(points: Sequence[Point]) -> tuple[float, float]:
    """Return slope and offset of the least-squares line through pairs of raw and reference values."""
    if len(points) < 2:
        raise ValueError("a line needs two points")
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        raise ValueError("all raw values are the same")
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope, mean_y - slope * mean_x


def interpolate(curve: Sequence[Point], raw: float) -> float:
    xs = [x for x, _ in curve]
    right = min(max(bisect_right(xs, raw), 1), len(curve) - 1)
    (x0, y0), (x1, y1) = curve[right - 1], curve[right]
    return y0 + (raw - x0) * (y1 - y0) / (x1 - x0)


def drop_spikes(values: Sequence[float], width: int = 5, limit: float = 3.0) -> list[float]:
    """Replace values that stray from the median of their neighbours by more than `limit`."""
    half = width // 2
    smooth = []
    for i, value in enumerate(values):
        middle = median(values[max(0, i - half) : i + half + 1])
        smooth.append(middle if abs(value - middle) > limit else value)
    return smooth
