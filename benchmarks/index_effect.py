"""Chapter 1: every documented index and endpoint, without and with the index migrations; and the indexes' use."""

from functools import partial
from time import monotonic

from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from benchmarks.charts import draw_bars
from benchmarks.database import fetch
from benchmarks.documented_promises import DOCUMENTED, ENDPOINTS, INDEXES, Promise
from benchmarks.endpoints import endpoints_of
from benchmarks.report import Chapter, number, show_step
from benchmarks.samples import Sample
from benchmarks.timing import Rounds, database_ms, time_in_turns
from benchmarks.web_server import web_server
from crm.db.tenancy import tenant
from tests.db.catalogue import PRODUCT_APPS
from tests.plans.conftest import indexes_chosen
from tests.plans.questions import QUESTIONS

BUDGET_S = 6
# Questions are requests of a test client: no throttle, no time-out, any host.
as_test_client = override_settings(THROTTLE_USER_PER_MIN=0, WEB_STATEMENT_TIMEOUT_MS=0, ALLOWED_HOSTS=["*"])
Key = tuple[str, str]
"""The name of an index or endpoint, and of a sample."""

ABOUT = """Every index of the two documents by its question (the time of its slowest statement in the database), and the
five endpoints over HTTP. First after `migrate APP 0001` of all four apps, which reverses `0002_performance_indexes`
alone. Then after `migrate` has built the indexes again. An index keeps the documents'
promise if its question becomes as many times faster as the lower of their two numbers. An endpoint keeps it if it takes
no longer than promised, and became as many times faster or was fast enough without."""
ABOUT_USAGE = """`pg_stat_user_indexes` after the run: since the database was created or, where chapter 1 was part of
the run, since it built the indexes. For an index with no scans, the planner's choice for its question is given."""


def compare_indexes(samples: list[Sample], *, rounds: int) -> Chapter:
    """Drop all secondary indexes, measure, build them again, measure."""
    show_step("dropping the indexes")
    try:
        for app in reversed(PRODUCT_APPS):
            call_command("migrate", app, "0001", verbosity=0)
        show_step("without indexes")
        before = _time_all(samples, rounds)
    finally:
        show_step("building the indexes")
        start = monotonic()
        call_command("migrate", verbosity=0)
        built = monotonic() - start
    show_step("with all indexes")
    after = _time_all(samples, rounds)
    chapter = Chapter(
        "1. Without and with the indexes", [ABOUT, f"`migrate` built all indexes again in {built:.0f} s."]
    )
    head = ["company", "without, ms", "with, ms", "faster", "promised"]
    chapter.add_table(
        ["index", *head, "kept", "answered through"],
        [
            _query_row(index, sample, before[index, sample.name].median, after[index, sample.name].median)
            for index in DOCUMENTED
            for sample in samples
        ],
        title="Queries, in the database alone",
    )
    medians = {
        (name, sample.name): (before[name, sample.name].median, after[name, sample.name].median)
        for name in ENDPOINTS
        for sample in samples
    }
    chapter.add_table(
        ["endpoint", *head, "with indexes, promised", "kept"],
        [_endpoint_row(key, *times) for key, times in medians.items()],
        title="Endpoints, over HTTP",
    )
    chapter.add_chart(
        "indexes", "The documented endpoints without and with the indexes", draw_bars,
        unit="ms of a request", series=["without", "with"], log=True,
        rows=[(", ".join(key), times) for key, times in medians.items()],
    )  # fmt: skip
    return chapter


def describe_usage(sample: Sample) -> Chapter:
    """Describe which index answered queries, by PostgreSQL's counters."""
    # A session's counters are flushed when it ends, or by this function.
    fetch("SELECT pg_stat_force_next_flush()")
    connection.close()
    counters = {
        name: counts for name, *counts in fetch("SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes")
    }
    rows = []
    for index in DOCUMENTED:
        scans, read = counters[index]
        rows.append([f"`{index}`", f"{scans:,}", f"{read:,}", "–" if scans else _indexes_of(index, sample)])
    chapter = Chapter("Which index answered queries", [ABOUT_USAGE])
    chapter.add_table(["index", "scans", "entries read", "unused: question answered through"], rows)
    return chapter


def _time_all(samples: list[Sample], rounds: int) -> dict[Key, Rounds]:
    times: dict[Key, Rounds] = {}
    for sample in samples:
        with tenant(sample.company.pk), as_test_client:
            for index in DOCUMENTED:
                question = {(index, sample.name): partial(QUESTIONS[index], sample)}
                times |= time_in_turns(question, rounds=rounds, budget_s=BUDGET_S, clock=database_ms)
    with web_server() as sign_in:
        for sample in samples:
            get, endpoints = sign_in(sample.manager.username), endpoints_of(sample)
            for name in ENDPOINTS:
                request = {(name, sample.name): partial(get, endpoints[name].path)}
                times |= time_in_turns(request, rounds=rounds, budget_s=BUDGET_S)
    return times


def _indexes_of(index: str, sample: Sample) -> str:
    """Name the indexes that the planner uses for the question of `index`, that one first."""
    with tenant(sample.company.pk), as_test_client:
        chosen = sorted(indexes_chosen(partial(QUESTIONS[index], sample)), key=lambda name: (name != index, name))
    return ", ".join(f"`{name}`" for name in chosen) or "none: the table is read whole"


def _query_row(index: str, sample: Sample, before: float, after: float) -> list[str]:
    promise = INDEXES.get(index)
    kept = "–" if promise is None else "yes" if before / after >= promise.speedup[0] else "no"
    return [*_comparison((f"`{index}`", sample.name), before, after, promise), kept, _indexes_of(index, sample)]


def _endpoint_row(key: Key, before: float, after: float) -> list[str]:
    promise = ENDPOINTS[key[0]]
    fastest, slowest = promise.cost
    kept = after <= slowest and (before / after >= promise.speedup[0] or before <= fastest)
    return [*_comparison(key, before, after, promise), f"{fastest}–{slowest} ms", "yes" if kept else "no"]


def _comparison(key: Key, before: float, after: float, promise: Promise | None) -> list[str]:
    promised = "{}–{} ×".format(*promise.speedup) if promise else "–"
    return [*key, number(before), number(after), f"{number(before / after)} ×", promised]
