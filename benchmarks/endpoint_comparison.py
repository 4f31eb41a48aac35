"""Chapter 2: every endpoint against hand-written SQL and against the naive endpoints."""

from collections.abc import Callable
from functools import partial

from benchmarks import endpoints as e
from benchmarks.charts import draw_bars
from benchmarks.database import fetch
from benchmarks.endpoints import Endpoint, endpoints_of
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.timing import Rounds, Spread, database_ms, time_in_turns
from benchmarks.web_server import Get, web_server
from crm.db.tenancy import tenant
from crm.models import Contact

BUDGET_S = 40
PRODUCT, NAIVE, SQL, EMPTY = "endpoint", "naive", "SQL by hand", "empty"
PAIRS = [
    (e.DEEP_CALLS, e.CALLS), (e.DEEP_THREAD, e.THREAD), (e.DEEP_HISTORY, e.HISTORY), (e.ALL_TIME, e.METRICS),
    (e.OBJECTIONS_YEAR, e.OBJECTIONS), (e.HISTORY, e.CALLS),
]  # fmt: skip
AT_THE_FLOOR = (e.METRICS, e.BOOKING, e.BOOKING_YEAR, e.CALLS, e.OBJECTIONS, e.OBJECTIONS_YEAR, e.THREAD, e.BY_NAME)
Times = dict[str, Rounds]

ABOUT = """Medians of rounds in which each alternative is asked once, forwards and backwards; for ratios, the quartiles
too. *Empty* is a signed-in request that asks for nothing. *SQL by hand* is the statement alone, through the driver,
with the same row-level security policies. *Naive* is the documents' system: nine statements for the metrics, whole rows
counted in Python, model instances with COUNT and OFFSET for a page. It uses the same tables, indexes, server and
sign-in, but the planner's default settings. The product sets cheap pages and no parallel workers for a tenant. Its
metrics filter by flags that no index serves. *Naive by status* is a kinder variant that uses the documented index."""


def compare_endpoints(samples: list[Sample], *, rounds: int) -> Chapter:
    chapter = Chapter("2. Against SQL by hand and against naive endpoints", [ABOUT])
    with web_server() as sign_in:
        for sample in samples:
            get, endpoints, times = sign_in(sample.manager.username), endpoints_of(sample), {}
            for name, endpoint in endpoints.items():
                show_step(f"{sample.name}: {name}")
                times[name] = _time_alternatives(get, sample, endpoint, rounds)
            ratios = {}
            for pair in PAIRS:
                pair_times = time_in_turns({name: partial(get, endpoints[name].path) for name in pair}, rounds=rounds)
                ratios[pair] = pair_times[pair[0]].against(pair_times[pair[1]])
            _describe(chapter, sample, times, ratios)
            chapter.goals = chapter.goals or _goals(sample, times, ratios)
    searches = {name: measured.median for name, measured in _time_searches(samples[0], rounds).items()}
    chapter.add_table(
        ["search", "ms"], [[name, number(ms)] for name, ms in searches.items()], title="Search, in the database alone"
    )
    chapter.goals.append(Goal("contact search, database time, slowest form", 10, max(searches.values()), "ms"))
    return chapter


def _time_alternatives(get: Get, sample: Sample, endpoint: Endpoint, rounds: int) -> Times:
    asks: dict[str, Callable[[], object]] = {EMPTY: partial(get, e.EMPTY_PATH), PRODUCT: partial(get, endpoint.path)}
    if endpoint.naive:
        asks[NAIVE] = partial(get, endpoint.naive)
    if endpoint.sql:
        asks[SQL] = partial(fetch, *endpoint.sql)
    with tenant(sample.company.pk):
        return time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S)


def _time_searches(sample: Sample, rounds: int) -> Times:
    def search(path: str) -> list[object]:
        term = path.partition("search=")[2].replace("+", " ")
        return list(Contact.objects.search(term).order_by("-created_at", "-id").values()[:101])

    endpoints = endpoints_of(sample)
    asks = {name: partial(search, endpoints[name].path) for name in e.SEARCHES}
    with tenant(sample.company.pk):
        return time_in_turns(asks, rounds=rounds, clock=database_ms)


def _describe(chapter: Chapter, sample: Sample, times: dict[str, Times], ratios: dict[tuple[str, str], Spread]) -> None:
    chapter.add_table(
        ["endpoint", "endpoint, ms", "SQL, ms", "empty, ms", "÷ (empty + SQL)", "naive, ms", "naive ÷ endpoint",
         "quartiles"],
        [_row(name, measured) for name, measured in times.items()],
        title=f"The {sample.name} company: {sample.calls:,} calls, deep page after {sample.depth:,},"
        f" a thread of {sample.messages:,} messages",
    )  # fmt: skip
    series = [NAIVE, PRODUCT, SQL]
    chapter.add_chart(
        f"shapes-{sample.name}", f"The {sample.name} company: naive endpoint, product's endpoint, SQL by hand",
        draw_bars, unit="ms", series=series, log=True,
        rows=[
            (name, [measured[kind].median if kind in measured else None for kind in series])
            for name, measured in times.items() if len(measured) > 2
        ],
    )  # fmt: skip
    chapter.add_table(
        ["one of two", "times as long as", "ratio", "quartiles"],
        [[*pair, *ratio.cells] for pair, ratio in ratios.items()],
    )


def _row(name: str, measured: Times) -> list[str]:
    product, empty = measured[PRODUCT], measured[EMPTY]
    sql, naive = ["–"] * 3, ["–"] * 3
    if SQL in measured:
        sql = [number(measured[SQL].median), number(empty.median), number(_against_minimum(measured))]
    if NAIVE in measured:
        naive = [number(measured[NAIVE].median), *measured[NAIVE].against(product).cells]
    return [name, number(product.median), *sql, *naive]


def _against_minimum(measured: Times) -> float:
    return measured[PRODUCT].against(measured[EMPTY], measured[SQL]).median


def _goals(sample: Sample, times: dict[str, Times], ratios: dict[tuple[str, str], Spread]) -> list[Goal]:
    def naive(text: str, limit: float, name: str) -> Goal:
        return Goal(text, limit, times[name][NAIVE].against(times[name][PRODUCT]).median, at_least=True)

    def pair(text: str, limit: float, slow: str, quick: str) -> Goal:
        return Goal(text, limit, ratios[slow, quick].median)

    return [
        *(Goal(f"{name} against (empty request + SQL)", 1.8, _against_minimum(times[name])) for name in AT_THE_FLOOR),
        Goal("objections of 1 year, SQL by hand", 3, times[e.OBJECTIONS_YEAR][SQL].median, "ms"),
        pair(f"list at depth {sample.depth:,} against depth 0", 1.5, e.DEEP_CALLS, e.CALLS),
        naive("naive list against list", 8, e.CALLS),
        naive("naive metrics against metrics", 200, e.ALL_TIME),
        pair("metrics of all time against 30 days", 3, e.ALL_TIME, e.METRICS),
        naive("naive booking rate against booking rate, 30 days", 5, e.BOOKING),
        naive("naive objections against objections, 30 days", 8, e.OBJECTIONS),
        pair("objections of 1 year against 30 days", 12, e.OBJECTIONS_YEAR, e.OBJECTIONS),
        pair("thread, deep page against first", 1.5, e.DEEP_THREAD, e.THREAD),
        pair("history of a contact, deep page against first", 1.5, e.DEEP_HISTORY, e.HISTORY),
        pair("history of a contact against a page of calls", 2, e.HISTORY, e.CALLS),
    ]
