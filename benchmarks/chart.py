"""Charts as SVG that can be read on light and on dark pages."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from benchmarks.report import number

WIDTH, LABELS, LEGEND, TITLE = 920, 315, 26, 54
BAR, GAP = 13, 14
PLOT_HEIGHT = 300
STYLE = """
svg { font: 13px system-ui, sans-serif }
.page { fill: #fff } text { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0 }
.s0 { fill: #b8860b; stroke: #b8860b } .s1 { fill: #0b6bcb; stroke: #0b6bcb } .s2 { fill: #1a7f5a; stroke: #1a7f5a }
.s3 { fill: #a2408f; stroke: #a2408f } .s4 { fill: #c4432b; stroke: #c4432b } .s5 { fill: #5a6b7a; stroke: #5a6b7a }
.line { fill: none; stroke-width: 2 } .title { font-size: 15px; font-weight: 600 } .bar, .label { stroke: none }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } text { fill: #e6edf3 } .soft { fill: #9198a1 } .grid { stroke: #30363d }
.s0 { fill: #d9a520; stroke: #d9a520 } .s1 { fill: #4c9bf0; stroke: #4c9bf0 } .s2 { fill: #3fb68b; stroke: #3fb68b }
.s3 { fill: #d070bd; stroke: #d070bd } .s4 { fill: #ee7a63; stroke: #ee7a63 } .s5 { fill: #9aabba; stroke: #9aabba }
}"""

Bar = tuple[str, Sequence[float | None]]


def draw_bars(title: str, *, unit: str, series: Sequence[str], rows: Sequence[Bar], log: bool = False) -> str:
    """Horizontal bars, a group for each row, one of them for each series. None draws nothing."""
    axis = _Axis([value for _, values in rows for value in values if value], low=LABELS, high=WIDTH - 80, log=log)
    parts, y = [_title(title, f"{unit}, logarithmic" if log else unit), *_legend(series, TITLE)], float(TITLE + LEGEND)
    bottom = y + sum(len(values) * BAR + GAP for _, values in rows)
    for tick in axis.ticks:
        parts.append(_line(axis.at(tick), y, axis.at(tick), bottom))
        parts.append(_text(axis.at(tick), bottom + 18, number(tick), "soft", anchor="middle"))
    for label, values in rows:
        y += GAP / 2
        parts.append(_text(LABELS - 10, y + len(values) * BAR / 2 + 4, label, anchor="end"))
        for place, value in enumerate(values):
            if value:
                width = max(axis.at(value) - LABELS, 1)
                parts.append(
                    f'<rect class="bar s{place}" x="{LABELS}" y="{y:.1f}" width="{width:.1f}" height="{BAR - 2}"/>'
                )
                parts.append(_text(LABELS + width + 5, y + BAR - 3, number(value), "soft", size=11))
            y += BAR
        y += GAP / 2
    return _page(parts, height=bottom + 32)


def draw_lines(title: str, *, unit: str, places: Sequence[float], lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    """A line for each row over the same places, both axes logarithmic."""
    top, left, right = TITLE + 10, 70, WIDTH - 230
    across = _Axis(places, low=left, high=right, log=True)
    up = _Axis([value for _, values in lines for value in values], low=top + PLOT_HEIGHT, high=top, log=True)
    parts = [_title(title, f"{unit}, both axes logarithmic")]
    for tick in up.ticks:
        parts.append(_line(left, up.at(tick), right, up.at(tick)))
        parts.append(_text(left - 8, up.at(tick) + 4, number(tick), "soft", anchor="end"))
    for place in places:
        parts.append(_text(across.at(place), top + PLOT_HEIGHT + 20, number(place), "soft", anchor="middle"))
    free = float("inf")  # labels stand at the lines' ends, moved up where they would cover each other
    for colour, (label, values) in sorted(enumerate(lines), key=lambda line: line[1][1][-1]):
        dots = [(across.at(place), up.at(value)) for place, value in zip(places, values, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        kind = f"s{colour % 6}"
        dashes = ' stroke-dasharray="6 4"' if colour >= 6 else ""
        parts.append(f'<polyline class="line {kind}" style="fill:none" points="{path}"{dashes}/>')
        parts += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in dots]
        free = min(dots[-1][1] + 4, free - 15)
        parts.append(_text(right + 10, free, f"{label}: {number(values[-1])}", f"label {kind}", size=12))
    return _page(parts, height=top + PLOT_HEIGHT + 40)


class _Axis:
    """Where a value lies between two edges of the picture. A linear one begins at 0."""

    def __init__(self, values: Sequence[float], *, low: float, high: float, log: bool) -> None:
        self.low, self.high, self.log = low, high, log
        self.start: float
        self.end: float
        largest, smallest = max(values, default=1), min(values, default=1)
        if log:
            self.start, self.end = floor(log10(smallest)), ceil(log10(largest))
            self.end += self.end == self.start
            self.ticks = [10.0**power for power in range(self.start, self.end + 1)]
        else:
            step = 10.0 ** floor(log10(largest))
            step /= 1 if largest / step > 4 else 2 if largest / step > 2 else 5
            self.start, self.end = 0, ceil(largest / step) * step
            self.ticks = [step * n for n in range(round(self.end / step) + 1)]

    def at(self, value: float) -> float:
        place = log10(value) if self.log else value
        return self.low + (self.high - self.low) * (place - self.start) / (self.end - self.start)


def _page(parts: Sequence[str], *, height: float) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    background = f'<rect class="page" width="{WIDTH}" height="{height:.0f}"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<style>{STYLE}</style>",
            background,
            *parts,
            "</svg>\n",
        ]
    )


def _title(text: str, unit: str) -> str:
    return _text(16, 26, text, "title") + _text(16, 44, unit, "soft", size=12)


def _legend(series: Sequence[str], y: float) -> list[str]:
    if len(series) < 2:
        return []
    parts, x = [], 16.0
    for place, name in enumerate(series):
        parts.append(f'<rect class="bar s{place}" x="{x:.0f}" y="{y + 2}" width="11" height="11"/>')
        parts.append(_text(x + 16, y + 12, name, size=12))
        x += 34 + 6.8 * len(name)
    return parts


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", size: int = 0) -> str:
    style = f' style="font-size:{size}px"' if size else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'
