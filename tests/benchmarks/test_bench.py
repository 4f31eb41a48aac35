"""`python -m benchmarks`: its report, on a database too small for meaningful times."""

import xml.etree.ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from benchmarks.charts import draw_bars, draw_lines
from benchmarks.command import Command
from benchmarks.database import fetch
from benchmarks.database_growth import GIB, Extent, add_extents
from benchmarks.documented_promises import DOCUMENTED
from benchmarks.endpoint_growth import BASE, CHARTED, EMPTY, describe_growth
from benchmarks.endpoints import ALL_TIME, BOOKING, CALLS, METRICS, OBJECTIONS, THREAD
from benchmarks.report import Chapter, Goal
from benchmarks.table_copies import COPIES, copies_of_calls
from benchmarks.timing import Rounds, time_in_turns
from calls.models import Call
from crm.db.tenancy import all_tenants
from crm.models import Company
from tests import factories
from tests.conftest import postgres_only, signed_in
from tests.db.catalogue import existing_indexes

SVG = "{http://www.w3.org/2000/svg}svg"
DAYS = "start_date=2026-01-01&end_date=2026-12-31"
SMALL = ["--calls", "2000", "--companies", "3", "--growth", "360", "--rounds", "1", "--seconds", "0.01"]


def tag_of(svg):
    return ET.fromstring(svg).tag  # noqa: S314  # written by the test


@pytest.mark.slow
@postgres_only
@pytest.mark.django_db(transaction=True)
def test_run_writes_every_chapter_and_leaves_indexes_and_calls_as_they_were(tmp_path, capsys, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # the web server's
    before = existing_indexes()
    report = tmp_path / "benchmarks.md"
    call_command(Command(), *SMALL, "--output", str(report))
    text = report.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Goals",
        "## The load",
        "## 1. Without and with the indexes",
        "## 2. Against SQL by hand and against naive endpoints",
        "## 3. Cost of the indexes for writes",
        "## 4. Sizes of the indexes",
        "## 5. Growth",
        "## 6. Webhook events",
        "## 7. Memory, connections and disk",
        "## 8. Clients that wait for changes",
        "## 9. Campaigns",
        "## 10. Audiences",
        "## 11. Merging contacts",
        "## 12. Exports",
        "## 13. Imports",
        "## 14. Pages of the admin",
        "## 15. Under load",
        "## Which index answered queries",
    ]
    assert all(text.count(f"| `{name}` |") >= 4 for name in DOCUMENTED)
    assert text.count("| reached |") + text.count("| **not reached** |") == 58
    assert all(f"| {copy.name} | {len(copy.indexes)} |" in text for copy in COPIES)
    charts = sorted((tmp_path / "benchmarks").iterdir())
    assert [chart.name for chart in charts if f"benchmarks/{chart.name}" in text] == [
        "growth.svg", "indexes.svg", "load.svg", "shapes-largest.svg", "shapes-median.svg", "sizes.svg", "writes.svg",
    ]  # fmt: skip
    assert {tag_of(chart.read_text()) for chart in charts} == {SVG}
    assert existing_indexes() == before
    with all_tenants():
        assert Call.objects.count() == 2000
    capsys.readouterr()
    call_command(Command(), "policies", "--rounds", "1")
    assert [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[2:]] == [
        f"| {name}" for name in (METRICS, ALL_TIME, BOOKING, CALLS, OBJECTIONS, THREAD)
    ]
    unprotected = fetch("SELECT relname FROM pg_class WHERE relforcerowsecurity AND NOT relrowsecurity")
    assert unprotected == []


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_database_with_other_than_demo_data_is_refused(acme, tmp_path):
    factories.ContactFactory(company=acme)
    with pytest.raises(CommandError, match="aren't demo data"):
        call_command(Command(), *SMALL, "--output", str(tmp_path / "benchmarks.md"))
    assert list(Company.objects.all()) == [acme]
    assert not list(tmp_path.iterdir())


def test_other_database_than_postgresql_is_refused(db, tmp_path):
    if connection.vendor == "postgresql":
        pytest.skip("about other databases")
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        call_command(Command(), *SMALL, "--output", str(tmp_path / "benchmarks.md"))


@postgres_only
@pytest.mark.parametrize("path", [
    "empty", "metrics", "metrics-by-status", f"booking-rate?{DAYS}", f"top-objections?{DAYS}",
    "calls?status=cancelled&offset=0", "message-threads/{contact}?offset=0",
])  # fmt: skip
def test_naive_endpoint_answers(path, acme, manager, settings):
    settings.ROOT_URLCONF = "benchmarks.naive_endpoints"
    analysis = factories.CallAnalysisFactory(call__contact__company=acme)
    contact = factories.MessageFactory(contact=analysis.call.contact).contact
    answer = signed_in(manager).get(f"/bench/{path.format(contact=contact.pk)}")
    assert answer.status_code == 200


@postgres_only
def test_copies_of_calls_differ_in_indexes_and_triggers_alone(db):
    with copies_of_calls() as copies:
        assert copies == COPIES
        constraints = [count("pg_constraint WHERE conrelid", copy) for copy in copies]
        indexes = [count("pg_index WHERE NOT indisunique AND indrelid", copy) for copy in copies]
        triggers = [count("pg_trigger WHERE NOT tgisinternal AND tgrelid", copy) for copy in copies]
        policies = [count("pg_policy WHERE polrelid", copy) for copy in copies]
    assert len(set(constraints)) == len(set(policies)) == 1
    assert indexes == [len(copy.indexes) for copy in copies]
    assert triggers == [0, 0, 0, triggers[-1]]
    assert min(constraints[0], policies[0], triggers[-1]) > 0


def count(rows, copy):
    return fetch(f"SELECT count(*) FROM {rows} = %s::regclass", [copy.table])[0][0]


def test_growth_is_measured_in_empty_requests():
    slow_machine = {name: Rounds([10.0]) for name in CHARTED} | {EMPTY: Rounds([5.0])}
    quick_machine = {name: Rounds([2.0]) for name in CHARTED} | {EMPTY: Rounds([1.0])}
    grown = {name: Rounds([4.0]) for name in CHARTED} | {EMPTY: Rounds([1.0])}
    buffers = dict.fromkeys(CHARTED, 10)
    for later, verdict in ((quick_machine, "flat"), (grown, "grows")):
        chapter = describe_growth({1000: slow_machine, 10_000: later}, {1000: buffers, 10_000: buffers})
        assert chapter.parts[1].count(f" {verdict} |") == len(CHARTED)
        assert list(chapter.charts) == ["growth.svg"]


def test_largest_size_is_judged_against_a_million_calls():
    times = {name: Rounds([4.0]) for name in CHARTED} | {EMPTY: Rounds([1.0])}
    buffers = {100_000: 100, BASE: 400, 10_000_000: 600}
    chapter = describe_growth(
        dict.fromkeys(buffers, times), {size: dict.fromkeys(CHARTED, pages) for size, pages in buffers.items()}
    )
    assert [(goal.measured, goal.reached) for goal in chapter.goals] == [(1.0, True), (1.5, False)]


def test_disk_of_a_hundred_million_calls_is_on_the_line_of_the_largest_sizes():
    chapter = Chapter("5. Growth", [])
    sizes = {100_000: 50, 10_000_000: 100, 20_000_000: 190}
    add_extents(chapter, {calls: Extent(GIB * gib, 0, 0, 0) for calls, gib in sizes.items()})
    assert "| 100,000,000, in a straight line | 910 |" in chapter.parts[-1]


def test_alternatives_take_turns_forwards_and_backwards():
    asked = []
    times = time_in_turns({name: lambda name=name: asked.append(name) for name in "ab"}, rounds=2)
    assert "".join(asked) == "aaaa" + "bbbb" + "bbbb" + "aaaa"
    assert [len(rounds) for rounds in times.values()] == [2, 2]


@pytest.mark.parametrize(("measured", "at_least", "result"), [
    (3.5, False, "reached"), (3.6, False, "**not reached**"), (3.6, True, "reached"), (3.4, True, "**not reached**"),
])  # fmt: skip
def test_goal_says_whether_it_is_reached(measured, at_least, result):
    assert Goal("a list", 3.5, measured, at_least=at_least).row[-1] == result


@pytest.mark.slow
def test_charts_are_the_same_for_the_same_figures_and_well_formed_whatever_their_texts():
    def draw():
        return [
            draw_bars(
                "a < b & $c$", unit="ms", series=["<", "&"], rows=[("x", [1.0, None]), ("y", [250, 0.4])], log=True
            ),
            draw_lines("a < b", unit="ms", sizes=[1000, 10_000], lines=[("one & two", [1.0, 1.2])]),
        ]

    assert {tag_of(svg) for svg in draw()} == {SVG}
    assert draw() == draw()
