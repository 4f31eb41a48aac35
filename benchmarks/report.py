"""Report of a run: Markdown and charts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NUMERIC = "0123456789–"  # first characters of cells in right-aligned columns

ABOUT_GOALS = """The goals are set for ten million calls and asked of the largest company; here they are measured on the
data above. Figures are medians. Alternatives took turns in one run."""

ShowStep = Callable[[str], object]
"""Shows the current step to the user."""


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
        return [
            self.text,
            f"{'≥' if self.at_least else '≤'} {number(self.limit)} {self.unit}",
            f"{number(self.measured)} {self.unit}",
            "reached" if self.reached else "**not reached**",
        ]


@dataclass
class Chapter:
    """Paragraphs and tables in order, charts by file name, and measured goals."""

    title: str
    parts: list[str] = field(default_factory=list)
    charts: dict[str, str] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)

    def add_table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.parts.append(table(head, rows))

    def add_chart(self, name: str, title: str, svg: str) -> None:
        self.charts[f"{name}.svg"] = svg
        self.parts.append(f"![{title}](benchmarks/{name}.svg)")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rules = ["---:" if all(row[n][:1] in NUMERIC for row in rows) else "---" for n in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rules, *rows])


def number(value: float) -> str:
    """Format with about three significant digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_report(path: Path, *, head: str, chapters: Sequence[Chapter]) -> None:
    """Write the document to `path`, and its charts to the folder of the same name beside it."""
    goals = [goal.row for chapter in chapters for goal in chapter.goals]
    parts = ["# Benchmarks", head]
    if goals:
        parts += ["## Goals", ABOUT_GOALS, table(["goal", "wanted", "measured", "result"], goals)]
    for chapter in chapters:
        parts += [f"## {chapter.title}", *chapter.parts]
    charts = path.with_suffix("")
    charts.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")
    for chapter in chapters:
        for name, svg in chapter.charts.items():
            (charts / name).write_text(svg)
