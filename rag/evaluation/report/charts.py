"""Charts as SVG, written out element by element: nothing to install, nothing fetched, texts escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from rag.evaluation.run.results import EvaluationResult
from rag.evaluation.run.systems import NAIVE, Group
from rag.evaluation.stats.metrics import MAIN
from rag.text import shorten

_INK, _UP, _DOWN, _BAR, _BASE = "#333333", "#1a7f5a", "#b3402e", "#3b6ea5", "#9a9a9a"
_WIDTH, _LEFT, _ROW = 720, 170, 28


def means_chart(result: EvaluationResult) -> str:
    """Draw the mean nDCG@10 of every system as bars, with 95% intervals as whiskers."""
    ordered = sorted(result.systems, key=lambda system: system.group != Group.PROMPTS.value)
    height = 60 + _ROW * len(ordered)
    svg = _canvas(height, f"{MAIN} by system on {result.dataset}, with 95% intervals")
    top = max(system.intervals[MAIN].high for system in ordered) or 1.0
    scale = (_WIDTH - _LEFT - 70) / top
    for row, system in enumerate(ordered):
        mean, whiskers = system.means[MAIN], system.intervals[MAIN]
        y = _bar(svg, row, system.name, mean * scale)
        _line(svg, _LEFT + whiskers.low * scale, y + 9, _LEFT + whiskers.high * scale, y + 9)
        for end in (whiskers.low, whiskers.high):
            _line(svg, _LEFT + end * scale, y + 5, _LEFT + end * scale, y + 13)
        _text(svg, _LEFT + whiskers.high * scale + 8, y + 14, f"{mean:.3f}")
    return tostring(svg, encoding="unicode")


def bars_chart(title: str, values: Mapping[str, float]) -> str:
    """Draw values as bars in the order given, each with its number; naive in grey."""
    svg = _canvas(60 + _ROW * len(values), title)
    scale = (_WIDTH - _LEFT - 70) / (max(values.values(), default=0.0) or 1.0)
    for row, (name, value) in enumerate(values.items()):
        y = _bar(svg, row, name, value * scale)
        _text(svg, _LEFT + value * scale + 8, y + 14, f"{value:.3f}")
    return tostring(svg, encoding="unicode")


def _bar(svg: Element, row: int, name: str, length: float) -> float:
    """Draw a named bar, `length` pixels long, and return its top."""
    y = 44 + _ROW * row
    _text(svg, _LEFT - 8, y + 14, name, anchor="end")
    _box(svg, _LEFT, y, length, 18, _BASE if name == NAIVE else _BAR)
    return y


def differences_chart(result: EvaluationResult, system: str, baseline: str = NAIVE) -> str:
    """Draw per-question differences in nDCG@10 as bars, sorted: the gains first, then what they cost."""
    values = sorted(result.differences(system, baseline).tolist(), reverse=True)
    gained, lost = sum(value > 0 for value in values), sum(value < 0 for value in values)
    same = len(values) - gained - lost
    title = f"{system} minus {baseline}, {MAIN} of each question: {gained} gained, {lost} lost, {same} the same"
    svg = _canvas(300, title)
    middle, half = 165, 115
    largest = max(map(abs, values), default=0.0) or 1.0
    bars = _thinned(values)
    step = (_WIDTH - 80) / max(1, len(bars))
    for column, value in enumerate(bars):
        size = abs(value) / largest * half
        top = middle - size if value > 0 else middle
        _box(svg, 60 + column * step, top, step, size, _UP if value > 0 else _DOWN)
    _line(svg, 60, middle, _WIDTH - 20, middle)
    for value in (largest, 0.0, -largest):
        _text(svg, 52, middle - value / largest * half + 4, f"{value:+.2f}" if value else "0", anchor="end")
    return tostring(svg, encoding="unicode")


def _thinned(values: Sequence[float], most: int = 640) -> Sequence[float]:
    """Pick at most one value a pixel, evenly from sorted ones."""
    if len(values) <= most:
        return values
    return [values[round(column * (len(values) - 1) / (most - 1))] for column in range(most)]


def _canvas(height: int, title: str) -> Element:
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {height}", role="img")
    svg.set("width", str(_WIDTH))
    svg.set("height", str(height))
    SubElement(svg, "title").text = _printable(title)
    _box(svg, 0, 0, _WIDTH, height, "#ffffff")
    _text(svg, 16, 24, shorten(title, 96), size=14)
    return svg


def _text(svg: Element, x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> None:
    node = SubElement(svg, "text", x=f"{x:.1f}", y=f"{y:.1f}", fill=_INK)
    node.set("text-anchor", anchor)
    node.set("font-size", str(size))
    node.set("font-family", "sans-serif")
    node.text = _printable(words)


def _box(svg: Element, x: float, y: float, width: float, height: float, fill: str) -> None:
    box = {"x": f"{x:.2f}", "y": f"{y:.2f}", "width": f"{width:.2f}", "height": f"{height:.2f}", "fill": fill}
    SubElement(svg, "rect", box)


def _line(svg: Element, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}", "stroke": _INK}
    SubElement(svg, "line", ends)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
