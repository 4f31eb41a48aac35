"""Charts as SVG on a white card, readable on light and on dark pages."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import number

WIDTH = 9.2  # inches
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",  # with no date in the file, equal figures make equal files
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#d1d9e0",
    "axes.prop_cycle": cycler(color=["#b8860b", "#0b6bcb", "#1a7f5a", "#a2408f", "#c4432b", "#5a6b7a"]),
}


@mpl.rc_context(STYLE)
def draw_bars(
    title: str,
    *,
    unit: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    log: bool = False,
) -> str:
    """Draw horizontal bars in a group for each row, one bar for each series; None draws no bar."""
    figure, axes = _figure(title, height=1.2 + len(rows) * (0.16 * len(series) + 0.14))
    thickness = 0.86 / len(series)
    for place, name in enumerate(series):
        drawn = {n + place * thickness: value for n, (_, values) in enumerate(rows) if (value := values[place])}
        bars = axes.barh([*drawn], [*drawn.values()], thickness * 0.9, label=name)
        axes.bar_label(bars, [number(value) for value in drawn.values()], padding=2, fontsize=7)
    axes.set_yticks([n + 0.43 - thickness / 2 for n in range(len(rows))], [label for label, _ in rows])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"{unit}, logarithmic" if log else unit)
    axes.margins(x=0.1)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(_tick)
    figure.legend(loc="outside lower left", ncols=len(series), frameon=False)
    return _svg(figure)


@mpl.rc_context(STYLE)
def draw_lines(title: str, *, unit: str, sizes: Sequence[float], lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Draw a line for each row over the same sizes, both axes logarithmic."""
    figure, axes = _figure(title, height=4.5)
    for n, (label, values) in enumerate(lines):
        axes.plot(sizes, values, "o--" if n >= 6 else "o-", label=f"{label}: {number(values[-1])}", markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(_tick)
    axes.set_xticks(sizes, [number(size) for size in sizes])
    axes.set_xlabel(f"{unit}, both axes logarithmic")
    figure.legend(loc="outside right upper", frameon=False)
    return _svg(figure)


def _figure(title: str, *, height: float) -> tuple[Figure, Axes]:
    figure = Figure((WIDTH, height), layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", parse_math=False)
    return figure, figure.subplots()


def _tick(value: float, _position: object) -> str:
    return number(value)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
