"""Chapter 1: every documented index and endpoint, without and with the index migrations."""

from functools import partial

from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils.timezone import now

from benchmarks.charts import draw_bars
from benchmarks.database import fetch
from benchmarks.endpoints import PROMISES, endpoints_of
from benchmarks.http_server import web_server
from benchmarks.questions import DOCUMENTED, EXPECTED, answered_through, question
from benchmarks.report import Chapter, ShowStep, number
from benchmarks.sample import Sample
from benchmarks.timing import Rounds, database_ms, time_in_turns
from crm.db.tenancy import tenant

APPS = ("analytics", "messaging", "calls", "crm")
BUDGET_S = 6
# Questions are requests of a test client: no throttle, no time-out, any host.
REQUESTS = {"THROTTLE_USER_PER_MIN": 0, "WEB_STATEMENT_TIMEOUT_MS": 0, "ALLOWED_HOSTS": ["*"]}
Times = dict[tuple[str, str], Rounds]
"""By the name of an index or endpoint, and of a sample."""

ABOUT = """Every index of the two documents by its question (the time of its slowest statement in the database), and the
five endpoints over HTTP. First after `migrate APP 0001` of all four apps, which reverses `0002_performance_indexes`
alone. Then after `migrate` has built the indexes again. An index keeps the documents'
promise if its question becomes as many times faster as the lower of their two numbers. An endpoint keeps it if it takes
no longer than promised, and became as many times faster or was fast enough without."""
ABOUT_USAGE = """`pg_stat_user_indexes` after the run: since the database was created or, where chapter 1 was part of
the run, since it built the indexes. For an index with no scans, the planner's choice for its question is given."""


def compare_indexes(samples: list[Sample], *, rounds: int, show_step: ShowStep) -> Chapter:
    """Drop all secondary indexes, measure, build them again, measure."""
    show_step("dropping the indexes")
    try:
        for app in APPS:
            call_command("migrate", app, "0001", verbosity=0)
        show_step("without indexes")
        before = _time_all(samples, rounds)
    finally:
        show_step("building the indexes")
        start = now()
        call_command("migrate", verbosity=0)
        built = (now() - start).total_seconds()
    show_step("with all indexes")
    after = _time_all(samples, rounds)
    chapter = Chapter("1. Without and with the indexes", [ABOUT])
    chapter.add(f"`migrate` built all indexes again in {built:.0f} s.")
    chapter.add("### Queries, in the database alone")
    chapter.add_table(
        ["index", "company", "without, ms", "with, ms", "faster", "promised", "kept", "answered through"],
        [
            _query_row(index, sample, before[index, sample.name], after[index, sample.name])
            for index in DOCUMENTED
            for sample in samples
        ],
    )
    chapter.add("### Endpoints, over HTTP")
    keys = [(name, sample.name) for name in PROMISES for sample in samples]
    chapter.add_table(
        ["endpoint", "company", "without, ms", "with, ms", "faster", "promised", "with indexes, promised", "kept"],
        [_endpoint_row(*key, before[key].median, after[key].median) for key in keys],
    )
    title = "The documented endpoints without and with the indexes"
    rows = [(", ".join(key), [before[key].median, after[key].median]) for key in keys]
    chart = draw_bars(title, unit="ms of a request", series=["without", "with"], rows=rows, log=True)
    chapter.add_chart("indexes", title, chart)
    return chapter


def describe_usage(samples: list[Sample]) -> Chapter:
    """Describe which index answered queries, by PostgreSQL's counters."""
    # A session's counters are flushed when it ends, or by this function.
    fetch("SELECT pg_stat_force_next_flush()")
    connection.close()
    counters = {
        name: (scans, read)
        for name, scans, read in fetch("SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes")
    }
    chapter = Chapter("Which index answered queries", [ABOUT_USAGE])
    rows = []
    for index in DOCUMENTED:
        scans, read = counters[index]
        rows.append([f"`{index}`", f"{scans:,}", f"{read:,}", "–" if scans else _indexes_of(index, samples[0])])
    chapter.add_table(["index", "scans", "entries read", "unused: question answered through"], rows)
    return chapter


def _time_all(samples: list[Sample], rounds: int) -> Times:
    times: Times = {}
    for sample in samples:
        with tenant(sample.company.pk), override_settings(**REQUESTS):
            for index in DOCUMENTED:
                asks = {(index, sample.name): question(index, sample)}
                times |= time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S, clock=database_ms)
    with web_server() as sign_in:
        for sample in samples:
            get = sign_in(sample.manager.username)
            for endpoint in endpoints_of(sample):
                if endpoint.name in PROMISES:
                    request = {(endpoint.name, sample.name): partial(get, endpoint.path)}
                    times |= time_in_turns(request, rounds=rounds, budget_s=BUDGET_S)
    return times


def _indexes_of(index: str, sample: Sample) -> str:
    with tenant(sample.company.pk), override_settings(**REQUESTS):
        return ", ".join(f"`{name}`" for name in answered_through(index, sample)) or "none: the table is read whole"


def _query_row(index: str, sample: Sample, before: Rounds, after: Rounds) -> list[str]:
    faster = before.median / after.median
    promised, kept = "–", "–"
    if index in EXPECTED:
        low, high = EXPECTED[index].speedup
        promised, kept = f"{low}–{high} ×", "yes" if faster >= low else "no"
    return [
        f"`{index}`", sample.name, number(before.median), number(after.median), f"{number(faster)} ×", promised, kept,
        _indexes_of(index, sample),
    ]  # fmt: skip


def _endpoint_row(name: str, company: str, before: float, after: float) -> list[str]:
    promise, faster = PROMISES[name], before / after
    kept = after <= promise.ms[1] and (faster >= promise.speedup[0] or before <= promise.ms[0])
    return [
        name, company, number(before), number(after), f"{number(faster)} ×",
        "{}–{} ×".format(*promise.speedup), "{}–{} ms".format(*promise.ms), "yes" if kept else "no",
    ]  # fmt: skip
