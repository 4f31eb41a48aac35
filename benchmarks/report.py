"""Report of a run: the page with its charts, and the current step on standard error."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

BEGAN = monotonic()
NUMERIC = "0123456789–"  # first characters of cells in right-aligned columns
Rows = Sequence[Sequence[str]]

ABOUT_GOALS = """The goals are set for ten million calls and asked of the largest company; here they are measured on the
data above. Figures are medians. Alternatives took turns in one run."""


@dataclass(frozen=True)
class Goal:
    text: str
    limit: float
    measured: float
    unit: str = "×"
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def row(self) -> list[str]:
        limit, measured = (f"{number(value)} {self.unit}" for value in (self.limit, self.measured))
        result = "reached" if self.reached else "**not reached**"
        return [self.text, f"{'≥' if self.at_least else '≤'} {limit}", measured, result]


@dataclass
class Chapter:
    """Paragraphs and tables in order, charts by file name, and measured goals."""

    title: str
    parts: list[str]
    charts: dict[str, str] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def add_table(self, head: Sequence[str], rows: Rows, *, title: str = "") -> None:
        self.parts += [f"### {title}"] * bool(title) + [table(head, rows)]

    def add_chart(self, name: str, title: str, draw: Callable[..., str], **content: Any) -> None:
        self.charts[f"{name}.svg"] = draw(title, **content)
        self.parts.append(f"![{title}](benchmarks/{name}.svg)")


def table(head: Sequence[str], rows: Rows) -> str:
    rules = ["---:" if all(row[n][:1] in NUMERIC for row in rows) else "---" for n in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rules, *rows])


def number(value: float) -> str:
    """Format with about three significant digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def show_step(step: str) -> None:
    """Show the user the current step, and how long the run has taken."""
    print(f"{monotonic() - BEGAN:6.0f} s  {step}", file=sys.stderr, flush=True)


def write_report(path: Path, *, head: str, chapters: Sequence[Chapter]) -> None:
    """Write the document to `path`, and its charts to the folder of the same name beside it."""
    parts = ["# Benchmarks", head]
    if goals := [goal.row for chapter in chapters for goal in chapter.goals]:
        parts += ["## Goals", ABOUT_GOALS, table(["goal", "wanted", "measured", "result"], goals)]
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        parts += [f"## {chapter.title}", *chapter.parts]
        for name, svg in chapter.charts.items():
            (folder / name).write_text(svg)
    path.write_text("\n\n".join(parts) + "\n")
