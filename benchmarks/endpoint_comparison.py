"""Chapter 2: every endpoint against SQL by hand, and against the shapes of the documents' system."""

from collections.abc import Callable
from functools import partial

from benchmarks import endpoints as e
from benchmarks import raw_sql
from benchmarks.chart import draw_bars
from benchmarks.endpoints import Endpoint, endpoints_of
from benchmarks.explain import database_time
from benchmarks.http_server import HTTPClient, WebServer
from benchmarks.report import Chapter, Goal, Tell, number
from benchmarks.sample import Sample
from benchmarks.timing import Spread, Timing, time_in_turns
from crm.db.tenancy import tenant
from crm.models import Contact

BUDGET_S = 40
OURS, NAIVE, SQL, EMPTY = "endpoint", "naive", "SQL by hand", "empty"
Turns = dict[str, Timing]

ABOUT = """Medians of turns in which each is asked once, forwards and backwards, in one run; of the ratios the middle
half. *Empty* is a request that signs in like the others and asks for nothing. *SQL by hand* is the statement alone,
through the driver, with the same policies of row-level security. *Naive* are the shapes of the documents' system
(nine statements for the metrics; whole rows fetched and counted in Python; model instances, COUNT and OFFSET for a
page), on the same tables and indexes, behind the same server and sign-in, but planned as the server plans for anybody:
cheap pages and no parallel workers are what we set for a tenant. Its metrics asked for flags in columns of their own,
which no index served; so they are said by expressions that none serves. Beside them stands a kinder form, that asks for
the status: with it the documents' own index would have helped, had anybody used it."""


def compare_shapes(samples: list[Sample], *, rounds: int, tell: Tell) -> Chapter:
    chapter = Chapter("2. Against SQL by hand and against the naive shape", [ABOUT])
    with WebServer() as server:
        for sample in samples:
            client = server.sign_in(sample.manager)
            pages = _pages(sample)
            turns: dict[str, Turns] = {}
            for endpoint in endpoints_of(sample):
                tell(f"{sample.name}: {endpoint.name}")
                turns[endpoint.name] = _take_turns(client, sample, endpoint, rounds)
            pairs = {names: _in_turns(client, pages, names, rounds) for names in PAIRS}
            _describe(chapter, sample, turns)
            chapter.add_table(
                ["one of two", "times as long as", "ratio", "middle half"],
                [[one, other, *_ratio(pair[one].times(pair[other]))] for (one, other), pair in pairs.items()],
            )
            if sample is samples[0]:
                chapter.goals = _goals(sample, turns, pairs)
    searches = {name: _search_in_database(samples[0], name) for name in e.SEARCHES}
    chapter.add("### Search, in the database alone")
    chapter.add_table(["search", "ms"], [[name, number(ms)] for name, ms in searches.items()])
    chapter.goals.append(Goal("contact search, database time, slowest form", 10, max(searches.values()), "ms"))
    return chapter


PAIRS = [
    (e.DEEP_CALLS, e.CALLS),
    (e.DEEP_THREAD, e.THREAD),
    (e.DEEP_HISTORY, e.HISTORY),
    (e.ALL_TIME, e.METRICS),
    (e.OBJECTIONS_YEAR, e.OBJECTIONS),
]


def _pages(sample: Sample) -> dict[str, str]:
    return {endpoint.name: endpoint.path for endpoint in endpoints_of(sample)}


def _take_turns(client: HTTPClient, sample: Sample, endpoint: Endpoint, rounds: int) -> Turns:
    asks: dict[str, Callable[[], object]] = {
        EMPTY: partial(client.get, "/bench/empty"),
        OURS: partial(client.get, f"/api/v1/{endpoint.path}"),
    }
    if endpoint.naive:
        asks[NAIVE] = partial(client.get, f"/bench/{endpoint.naive}")
    if endpoint.sql:
        asks[SQL] = partial(raw_sql.run, endpoint.sql)
    with tenant(sample.company.pk):
        return time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S)


def _in_turns(client: HTTPClient, pages: dict[str, str], names: tuple[str, str], rounds: int) -> Turns:
    return time_in_turns({name: partial(client.get, f"/api/v1/{pages[name]}") for name in names}, rounds=rounds)


def _search_in_database(sample: Sample, name: str) -> float:
    """The page of a search, of whole rows: they are found like the list's."""
    term = _pages(sample)[name].partition("search=")[2].replace("+", " ")
    with tenant(sample.company.pk):

        def ask() -> object:
            return list(Contact.objects.search(term).order_by("-created_at", "-id").values()[:101])

        ask()
        return sorted(database_time(ask) for _ in range(9))[4]


def _describe(chapter: Chapter, sample: Sample, turns: dict[str, Turns]) -> None:
    chapter.add(
        f"### The {sample.name} company: {sample.calls:,} calls, deep page behind {sample.depth:,},"
        f" a thread of {sample.texts:,} texts"
    )
    chapter.add_table(
        ["endpoint", "endpoint, ms", "SQL, ms", "empty, ms", "÷ (empty + SQL)", "naive, ms", "naive ÷ endpoint",
         "middle half"],
        [_row(name, turn) for name, turn in turns.items()],
    )  # fmt: skip
    chapter.add_chart(
        f"shapes-{sample.name}",
        draw_bars(
            f"The {sample.name} company: naive shape, endpoint, SQL by hand",
            unit="ms",
            series=[NAIVE, OURS, SQL],
            rows=[
                (name, [turn[kind].ms if kind in turn else None for kind in (NAIVE, OURS, SQL)])
                for name, turn in turns.items()
                if len(turn) > 2
            ],
            log=True,
        ),
        about=f"The {sample.name} company: naive shape, endpoint, SQL by hand",
    )


def _row(name: str, turn: Turns) -> list[str]:
    ours, empty = turn[OURS], turn[EMPTY]
    sql = [number(turn[SQL].ms), number(empty.ms), number(_over_floor(turn).median)] if SQL in turn else ["–"] * 3
    naive = ["–"] * 3
    if NAIVE in turn:
        naive = [number(turn[NAIVE].ms), *_ratio(turn[NAIVE].times(ours))]
    return [name, number(ours.ms), *sql, *naive]


def _over_floor(turn: Turns) -> Spread:
    return turn[OURS].times(turn[EMPTY] + turn[SQL])


def _ratio(spread: Spread) -> list[str]:
    return [f"{number(spread.median)} ×", f"{number(spread.lower)}–{number(spread.upper)}"]


def _goals(sample: Sample, turns: dict[str, Turns], pairs: dict[tuple[str, str], Turns]) -> list[Goal]:
    def against_naive(name: str) -> float:
        return turns[name][NAIVE].times(turns[name][OURS]).median

    def pair(one: str, other: str) -> float:
        return pairs[one, other][one].times(pairs[one, other][other]).median

    return [
        Goal("list against (empty request + SQL)", 3.5, _over_floor(turns[e.CALLS]).median),
        Goal(f"list at depth {sample.depth:,} against depth 0", 1.5, pair(e.DEEP_CALLS, e.CALLS)),
        Goal("naive list against list", 8, against_naive(e.CALLS), at_least=True),
        Goal("naive metrics against metrics", 200, against_naive(e.ALL_TIME), at_least=True),
        Goal("metrics of all time against 30 days", 3, pair(e.ALL_TIME, e.METRICS)),
        Goal("naive booking rate against booking rate, 30 days", 5, against_naive(e.BOOKING), at_least=True),
        Goal("naive objections against objections, 30 days", 8, against_naive(e.OBJECTIONS), at_least=True),
        Goal("objections of 1 year against 30 days", 12, pair(e.OBJECTIONS_YEAR, e.OBJECTIONS)),
        Goal("thread, deep page against first", 1.5, pair(e.DEEP_THREAD, e.THREAD)),
        Goal("history of a contact, deep page against first", 1.5, pair(e.DEEP_HISTORY, e.HISTORY)),
    ]
