"""Chapter 5: what grows with the number of calls, and what doesn't."""

from collections.abc import Mapping
from functools import partial

from benchmarks import endpoints as e
from benchmarks.chart import draw_lines
from benchmarks.endpoints import endpoints_of
from benchmarks.http_server import WebServer
from benchmarks.report import Chapter, Tell, number
from benchmarks.sample import Sample
from benchmarks.timing import Timing, time_in_turns

BUDGET_S = 60
FLAT = 1.5  # what grows by more does not stay as it is
EMPTY = "empty request"
CHARTED = (
    e.METRICS, e.ALL_TIME, e.BOOKING_YEAR, e.CALLS, e.DEEP_CALLS, e.OBJECTIONS, e.OBJECTIONS_YEAR, e.THREAD, e.BY_NAME,
)  # fmt: skip
Times = Mapping[str, Timing]

ABOUT = """The same endpoints over HTTP at several sizes, asked for the largest company of each. What stands beside the
calls grows with them: texts, analyses and contacts are about a tenth of the calls each, the longest thread a
four-hundredth. The sizes are measured minutes apart: how much an endpoint grows is told against an empty request, which
was asked in turns with it."""


def time_endpoints(sample: Sample, *, rounds: int, tell: Tell) -> Times:
    """Every endpoint for one company, all of them in turns."""
    tell(f"every endpoint for the {sample.name} company of {sample.calls:,} calls")
    with WebServer() as server:
        client = server.sign_in(sample.manager)
        asks = {
            endpoint.name: partial(client.get, f"/api/v1/{endpoint.path}")
            for endpoint in endpoints_of(sample)
            if endpoint.name != e.ALL_TIME_SERVED  # another naive shape; of us it asks what ALL_TIME does
        }
        asks[EMPTY] = partial(client.get, "/bench/empty")
        return time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S)


def describe_growth(times: Mapping[int, Times]) -> Chapter:
    """`times` by the number of calls."""
    sizes = sorted(times)
    chapter = Chapter("5. Growth", [ABOUT])
    last = times[sizes[-1]]
    rows = []
    for name in last:
        medians = [times[size][name].ms for size in sizes]
        first, latest = (times[size][name].times(times[size][EMPTY]).median for size in (sizes[0], sizes[-1]))
        growth = latest / first
        verdict = "–" if len(sizes) < 2 or name == EMPTY else "flat" if growth <= FLAT else "grows"
        rows.append([name, *map(number, medians), f"{number(growth)} ×", verdict])
    head = ["endpoint", *(f"{size:,} calls, ms" for size in sizes), "last against first, in empty requests", ""]
    chapter.add_table(head, rows)
    if len(sizes) > 1:
        chapter.add_chart(
            "growth",
            draw_lines(
                "The endpoints as the calls grow",
                unit="ms of a request, by calls of all companies",
                places=sizes,
                lines=[(name, [times[size][name].ms for size in sizes]) for name in CHARTED],
            ),
            about="The endpoints as the calls grow",
        )
    return chapter
