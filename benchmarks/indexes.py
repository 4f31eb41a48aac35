"""Chapter 1: every documented query and endpoint without and with the migrations that make the indexes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

from django.core.management import call_command

from benchmarks.chart import draw_bars
from benchmarks.endpoints import Promise, endpoints_of
from benchmarks.explain import indexes_used
from benchmarks.http_server import HTTPClient, WebServer
from benchmarks.questions import QUESTIONS, BenchQuery
from benchmarks.report import Chapter, Tell, number
from benchmarks.sample import Sample
from benchmarks.timing import Timing, time_in_turns
from crm.db.tenancy import all_tenants, tenant

APPS = ("analytics", "messaging", "calls", "crm")
BUDGET_S = 6
Times = dict[tuple[str, str], Timing]
"""By the name of a query or endpoint, and of whom it was asked."""

ABOUT = """Every index that the two documents name, by its question; and the five endpoints, asked over HTTP. First
after `migrate APP 0001` of all four apps, which takes `0002_performance_indexes` back and nothing else, then after
`migrate` has built all indexes again. The promise is the documents'; it is kept where the question becomes at least as
many times faster as the lower of their two numbers, or where it was faster without an index than they say it is with
one."""


def compare_indexes(samples: list[Sample], *, rounds: int, tell: Tell) -> Chapter:
    """Takes the indexes away and builds them again."""
    tell("taking the indexes away")
    try:
        for app in APPS:
            call_command("migrate", app, "0001", verbosity=0)
        tell("without indexes")
        queries_before, requests_before = _ask_all(samples, rounds)
    finally:
        tell("building the indexes")
        start = monotonic()
        call_command("migrate", verbosity=0)
        built = monotonic() - start
    tell("with all indexes")
    queries, requests = _ask_all(samples, rounds)
    through = {question.index: _indexes_of(question, samples[0]) for question in QUESTIONS}
    chapter = Chapter("1. Without and with the indexes", [ABOUT])
    chapter.add(f"`migrate` built all indexes again in {built:.0f} s.")
    chapter.add("### Queries")
    chapter.add_table(
        ["index", "asked of", "without, ms", "with, ms", "faster", "promised", "kept", "answered through"],
        [
            _query_row(question, of, queries_before[question.index, of], queries[question.index, of], through)
            for question in QUESTIONS
            for of in _askers(question, samples)
        ],
    )
    chapter.add("### Endpoints, over HTTP")
    promises = {endpoint.name: endpoint.promise for endpoint in endpoints_of(samples[0]) if endpoint.promise}
    chapter.add_table(
        ["endpoint", "company", "without, ms", "with, ms", "faster", "promised", "with indexes, promised", "kept"],
        [
            _endpoint_row(name, promise, sample, requests_before[name, sample.name], requests[name, sample.name])
            for name, promise in promises.items()
            for sample in samples
        ],
    )
    chapter.add_chart(
        "indexes",
        draw_bars(
            "The documented endpoints without and with the indexes",
            unit="ms of a request",
            series=["without", "with"],
            rows=[
                (f"{name}, {sample.name}", [before[name, sample.name].ms for before in (requests_before, requests)])
                for name in promises
                for sample in samples
            ],
            log=True,
        ),
        about="The documented endpoints without and with the indexes",
    )
    return chapter


def _ask_all(samples: list[Sample], rounds: int) -> tuple[Times, Times]:
    queries: Times = {}
    for question in QUESTIONS:
        for sample in samples[:1] if question.of_all else samples:
            of = "all" if question.of_all else sample.name
            with _door(question, sample):
                taken = time_in_turns({of: _bind(question, sample)}, rounds=rounds, budget_s=BUDGET_S)
            queries[question.index, of] = taken[of]
    requests: Times = {}
    with WebServer() as server:
        for sample in samples:
            client = server.sign_in(sample.manager)
            for endpoint in endpoints_of(sample):
                if endpoint.promise:
                    ask = _get(client, f"/api/v1/{endpoint.path}")
                    requests[endpoint.name, sample.name] = time_in_turns({0: ask}, rounds=rounds, budget_s=BUDGET_S)[0]
    return queries, requests


def _askers(question: BenchQuery, samples: list[Sample]) -> list[str]:
    return ["all"] if question.of_all else [sample.name for sample in samples]


def _door(question: BenchQuery, sample: Sample) -> AbstractContextManager[None]:
    return all_tenants() if question.of_all else tenant(sample.company.pk)


def _bind(question: BenchQuery, sample: Sample) -> Callable[[], object]:
    return lambda: question.ask(sample)


def _get(client: HTTPClient, path: str) -> Callable[[], object]:
    return lambda: client.get(path)


def _indexes_of(question: BenchQuery, sample: Sample) -> list[str]:
    with _door(question, sample):
        return indexes_used(_bind(question, sample))


def _query_row(
    question: BenchQuery, of: str, before: Timing, after: Timing, through: dict[str, list[str]]
) -> list[str]:
    faster = before.ms / after.ms
    promised, kept = "–", "–"
    if question.promise:
        promised = "{}–{} ×".format(*question.promise)
        kept = "yes" if faster >= question.promise[0] else "no"
    indexes = ", ".join(f"`{name}`" for name in through[question.index]) or "none"
    return [
        f"`{question.index}`", of, number(before.ms), number(after.ms), f"{number(faster)} ×", promised, kept, indexes,
    ]  # fmt: skip


def _endpoint_row(name: str, promise: Promise, sample: Sample, before: Timing, after: Timing) -> list[str]:
    faster = before.ms / after.ms
    kept = after.ms <= promise.ms[1] and (faster >= promise.times[0] or before.ms <= promise.ms[0])
    return [
        name, sample.name, number(before.ms), number(after.ms), f"{number(faster)} ×",
        "{}–{} ×".format(*promise.times), "{}–{} ms".format(*promise.ms), "yes" if kept else "no",
    ]  # fmt: skip
