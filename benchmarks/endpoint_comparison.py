"""Chapter 2: every endpoint against hand-written SQL and against the naive endpoints."""

from collections.abc import Callable
from functools import partial

from benchmarks import endpoints as e
from benchmarks.charts import draw_bars
from benchmarks.database import fetch
from benchmarks.endpoints import Endpoint, endpoints_of
from benchmarks.http_server import Get, web_server
from benchmarks.report import Chapter, Goal, ShowStep, number
from benchmarks.sample import Sample
from benchmarks.timing import Rounds, Spread, database_ms, time_in_turns
from crm.db.tenancy import tenant
from crm.models import Contact

BUDGET_S = 40
PRODUCT, NAIVE, SQL, EMPTY = "endpoint", "naive", "SQL by hand", "empty"
PAIRS = [
    (e.DEEP_CALLS, e.CALLS), (e.DEEP_THREAD, e.THREAD), (e.DEEP_HISTORY, e.HISTORY), (e.ALL_TIME, e.METRICS),
    (e.OBJECTIONS_YEAR, e.OBJECTIONS),
]  # fmt: skip
Times = dict[str, Rounds]

ABOUT = """Medians of rounds in which each alternative is asked once, forwards and backwards; for ratios, the quartiles
too. *Empty* is a signed-in request that asks for nothing. *SQL by hand* is the statement alone, through the driver,
with the same row-level security policies. *Naive* is the documents' system: nine statements for the metrics, whole rows
counted in Python, model instances with COUNT and OFFSET for a page. It uses the same tables, indexes, server and
sign-in, but the planner's default settings. The product sets cheap pages and no parallel workers for a tenant. Its
metrics filter by flags that no index serves. *Naive by status* is a kinder variant that uses the documented index."""


def compare_endpoints(samples: list[Sample], *, rounds: int, show_step: ShowStep) -> Chapter:
    chapter = Chapter("2. Against SQL by hand and against naive endpoints", [ABOUT])
    with web_server() as sign_in:
        for sample in samples:
            get = sign_in(sample.manager.username)
            endpoints = {endpoint.name: endpoint for endpoint in endpoints_of(sample)}
            times: dict[str, Times] = {}
            for name, endpoint in endpoints.items():
                show_step(f"{sample.name}: {name}")
                times[name] = _time_alternatives(get, sample, endpoint, rounds)
            pairs = {pair: _time_pair(get, [endpoints[name] for name in pair], rounds) for pair in PAIRS}
            _describe(chapter, sample, times)
            chapter.add_table(
                ["one of two", "times as long as", "ratio", "quartiles"],
                [[*pair, *_ratio(spread)] for pair, spread in pairs.items()],
            )
            if sample is samples[0]:
                chapter.goals = _goals(sample, times, {pair: spread.median for pair, spread in pairs.items()})
    searches = _time_searches(samples[0], rounds)
    chapter.add("### Search, in the database alone")
    chapter.add_table(["search", "ms"], [[name, number(measured.median)] for name, measured in searches.items()])
    slowest = max(measured.median for measured in searches.values())
    chapter.goals.append(Goal("contact search, database time, slowest form", 10, slowest, "ms"))
    return chapter


def _time_alternatives(get: Get, sample: Sample, endpoint: Endpoint, rounds: int) -> Times:
    asks: dict[str, Callable[[], object]] = {EMPTY: partial(get, "/bench/empty"), PRODUCT: partial(get, endpoint.path)}
    if endpoint.naive:
        asks[NAIVE] = partial(get, endpoint.naive)
    if endpoint.sql:
        sql, parameters = endpoint.sql
        asks[SQL] = partial(fetch, sql, *parameters)
    with tenant(sample.company.pk):
        return time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S)


def _time_pair(get: Get, pair: list[Endpoint], rounds: int) -> Spread:
    times = time_in_turns({n: partial(get, endpoint.path) for n, endpoint in enumerate(pair)}, rounds=rounds)
    return times[0].against(times[1])


def _time_searches(sample: Sample, rounds: int) -> Times:
    def search(term: str) -> list[object]:
        return list(Contact.objects.search(term).order_by("-created_at", "-id").values()[:101])

    paths = {endpoint.name: endpoint.path for endpoint in endpoints_of(sample) if endpoint.name in e.SEARCHES}
    asks = {name: partial(search, path.partition("search=")[2].replace("+", " ")) for name, path in paths.items()}
    with tenant(sample.company.pk):
        return time_in_turns(asks, rounds=rounds, clock=database_ms)


def _describe(chapter: Chapter, sample: Sample, times: dict[str, Times]) -> None:
    chapter.add(
        f"### The {sample.name} company: {sample.calls:,} calls, deep page after {sample.depth:,},"
        f" a thread of {sample.messages:,} messages"
    )
    chapter.add_table(
        ["endpoint", "endpoint, ms", "SQL, ms", "empty, ms", "÷ (empty + SQL)", "naive, ms", "naive ÷ endpoint",
         "quartiles"],
        [_row(name, measured) for name, measured in times.items()],
    )  # fmt: skip
    title = f"The {sample.name} company: naive endpoint, product's endpoint, SQL by hand"
    series = [NAIVE, PRODUCT, SQL]
    rows = [
        (name, [measured[kind].median if kind in measured else None for kind in series])
        for name, measured in times.items()
        if len(measured) > 2
    ]
    chapter.add_chart(f"shapes-{sample.name}", title, draw_bars(title, unit="ms", series=series, rows=rows, log=True))


def _row(name: str, measured: Times) -> list[str]:
    product, empty = measured[PRODUCT], measured[EMPTY]
    sql, naive = ["–"] * 3, ["–"] * 3
    if SQL in measured:
        sql = [number(measured[SQL].median), number(empty.median), number(_against_minimum(measured))]
    if NAIVE in measured:
        naive = [number(measured[NAIVE].median), *_ratio(measured[NAIVE].against(product))]
    return [name, number(product.median), *sql, *naive]


def _against_minimum(measured: Times) -> float:
    return measured[PRODUCT].against(measured[EMPTY] + measured[SQL]).median


def _ratio(spread: Spread) -> list[str]:
    return [f"{number(spread.median)} ×", f"{number(spread.lower)}–{number(spread.upper)}"]


def _goals(sample: Sample, times: dict[str, Times], pairs: dict[tuple[str, str], float]) -> list[Goal]:
    def naive(name: str) -> float:
        return times[name][NAIVE].against(times[name][PRODUCT]).median

    return [
        Goal("list against (empty request + SQL)", 3.5, _against_minimum(times[e.CALLS])),
        Goal(f"list at depth {sample.depth:,} against depth 0", 1.5, pairs[e.DEEP_CALLS, e.CALLS]),
        Goal("naive list against list", 8, naive(e.CALLS), at_least=True),
        Goal("naive metrics against metrics", 200, naive(e.ALL_TIME), at_least=True),
        Goal("metrics of all time against 30 days", 3, pairs[e.ALL_TIME, e.METRICS]),
        Goal("naive booking rate against booking rate, 30 days", 5, naive(e.BOOKING), at_least=True),
        Goal("naive objections against objections, 30 days", 8, naive(e.OBJECTIONS), at_least=True),
        Goal("objections of 1 year against 30 days", 12, pairs[e.OBJECTIONS_YEAR, e.OBJECTIONS]),
        Goal("thread, deep page against first", 1.5, pairs[e.DEEP_THREAD, e.THREAD]),
        Goal("history of a contact, deep page against first", 1.5, pairs[e.DEEP_HISTORY, e.HISTORY]),
    ]
