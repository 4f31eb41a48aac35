"""What a run found, as Markdown and charts. Everything in it is written by the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DIGITS = "0123456789–"  # what a cell of numbers begins with

ABOUT_GOALS = """They are set for ten million calls, and asked of the largest company; here measured on the data above.
Medians; what is compared was asked in turns, in one run."""

Tell = Callable[[str], object]
"""Shows whoever waits what is being done."""


@dataclass(frozen=True)
class Goal:
    """A figure that has to be reached."""

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
        sign = "≥" if self.at_least else "≤"
        return [
            self.text,
            f"{sign} {number(self.limit)} {self.unit}",
            f"{number(self.measured)} {self.unit}",
            "reached" if self.reached else "**not reached**",
        ]


@dataclass
class Chapter:
    """One part of the report: paragraphs and tables in order, charts by file name, and the goals that it measured."""

    title: str
    parts: list[str] = field(default_factory=list)
    charts: dict[str, str] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)

    def add_table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.parts.append(table(head, rows))

    def add_chart(self, name: str, svg: str, *, about: str) -> None:
        self.charts[f"{name}.svg"] = svg
        self.parts.append(f"![{about}](benchmarks/{name}.svg)")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rules = ["---:" if all(row[n][:1] in DIGITS for row in rows) else "---" for n in range(len(head))]
    lines = [head, rules, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """With as many digits as mean something."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_report(path: Path, *, head: str, chapters: Sequence[Chapter]) -> None:
    """The document at `path`, and its charts in a folder of the same name beside it."""
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
