"""`python -m benchmarks`: every chapter runs, on a database too small to say anything about time."""

import xml.etree.ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from benchmarks.chart import draw_bars, draw_lines
from benchmarks.command import Command
from benchmarks.questions import QUESTIONS
from benchmarks.report import Goal
from benchmarks.timing import time_in_turns
from calls.models import Call
from crm.db.tenancy import all_tenants
from crm.models import Company
from tests import factories
from tests.conftest import postgres_only
from tests.db.catalogue import standing_indexes

SVG = "{http://www.w3.org/2000/svg}svg"
SMALL = ["--calls", "900", "--companies", "3", "--growth", "400", "--rounds", "1", "--seconds", "0.2"]


def tag_of(svg):
    return ET.fromstring(svg).tag  # noqa: S314  # ours


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_run_writes_every_chapter_and_leaves_the_indexes_and_the_calls_as_they_were(tmp_path, capsys):
    before = standing_indexes()
    report = tmp_path / "benchmarks.md"
    call_command(Command(), *SMALL, "--output", str(report))
    text = report.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Goals",
        "## The load",
        "## 1. Without and with the indexes",
        "## 2. Against SQL by hand and against the naive shape",
        "## 3. What writing costs",
        "## 4. What the indexes take",
        "## 5. Growth",
        "## Which index served what",
    ]
    assert all(f"| `{question.index}` |" in text for question in QUESTIONS)
    charts = sorted((tmp_path / "benchmarks").iterdir())
    assert [chart.name for chart in charts if f"benchmarks/{chart.name}" in text] == [
        "growth.svg", "indexes.svg", "shapes-largest.svg", "shapes-median.svg", "sizes.svg", "writes.svg",
    ]  # fmt: skip
    assert {tag_of(chart.read_text()) for chart in charts} == {SVG}
    assert standing_indexes() == before
    with all_tenants():
        assert Call.objects.count() == 900


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_it_refuses_a_database_that_holds_anything_but_demo_data(acme, tmp_path):
    factories.ContactFactory(company=acme)
    with pytest.raises(CommandError, match="none of the demo's"):
        call_command(Command(), *SMALL, "--output", str(tmp_path / "benchmarks.md"))
    assert list(Company.objects.all()) == [acme]
    assert not list(tmp_path.iterdir())


def test_it_refuses_another_database_than_postgresql(db, tmp_path):
    if connection.vendor == "postgresql":
        pytest.skip("what it says of another database")
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        call_command(Command(), *SMALL, "--output", str(tmp_path / "benchmarks.md"))


def test_what_is_compared_takes_turns_forwards_and_backwards():
    asked = []
    times = time_in_turns({name: lambda name=name: asked.append(name) for name in "ab"}, rounds=2)
    assert "".join(asked) == "aaaa" + "bbbb" + "bbbb" + "aaaa"
    assert [len(timing.rounds) for timing in times.values()] == [2, 2]


@pytest.mark.parametrize(("measured", "at_least", "result"), [
    (3.5, False, "reached"), (3.6, False, "**not reached**"), (3.6, True, "reached"), (3.4, True, "**not reached**"),
])  # fmt: skip
def test_a_goal_says_whether_it_is_reached(measured, at_least, result):
    assert Goal("a list", 3.5, measured, at_least=at_least).row[-1] == result


def test_charts_are_well_formed_whatever_their_texts():
    bars = draw_bars(
        "a < b & c", unit="ms", series=["<", "&"], rows=[("x", [1.0, None]), ("y", [250.0, 0.4])], log=True
    )
    lines = draw_lines("a < b", unit="ms", places=[1000, 10_000], lines=[("one & two", [1.0, 1.2])])
    assert {tag_of(svg) for svg in (bars, lines)} == {SVG}
