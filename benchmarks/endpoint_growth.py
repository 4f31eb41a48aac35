"""Chapter 5: growth of the endpoints' times with the number of calls."""

from collections.abc import Mapping
from functools import partial

from benchmarks import endpoints as e
from benchmarks.charts import draw_lines
from benchmarks.report import Chapter, number, show_step
from benchmarks.samples import Sample
from benchmarks.timing import Rounds, time_in_turns
from benchmarks.web_server import web_server

BUDGET_S = 60
FLAT = 1.5  # the highest growth that counts as none
EMPTY = "empty request"
CHARTED = (
    e.METRICS, e.ALL_TIME, e.BOOKING_YEAR, e.CALLS, e.DEEP_CALLS, e.OBJECTIONS, e.OBJECTIONS_YEAR, e.THREAD, e.BY_NAME,
)  # fmt: skip
Times = Mapping[str, Rounds]

ABOUT = """The same endpoints over HTTP at several sizes, asked for the largest company of each. The other tables grow
with the calls: messages, analyses and contacts are about a tenth of the calls each, the longest thread a
four-hundredth. The sizes are measured minutes apart, so an endpoint's growth is given against an empty request that
took turns with it."""


def time_endpoints(sample: Sample, *, rounds: int) -> Times:
    """Time every endpoint for one company, all of them in turns."""
    show_step(f"every endpoint for the {sample.name} company of {sample.calls:,} calls")
    paths = {name: endpoint.path for name, endpoint in e.endpoints_of(sample).items()} | {EMPTY: e.EMPTY_PATH}
    del paths[e.ALL_TIME_BY_STATUS]  # differs from ALL_TIME in its naive form only
    with web_server() as sign_in:
        get = sign_in(sample.manager.username)
        asks = {name: partial(get, path) for name, path in paths.items()}
        return time_in_turns(asks, rounds=rounds, budget_s=BUDGET_S)


def describe_growth(times: Mapping[int, Times]) -> Chapter:
    """Describe `times` by the number of calls."""
    sizes = sorted(times)
    chapter = Chapter("5. Growth", [ABOUT])
    rows = []
    for name in times[sizes[-1]]:
        first, last = (times[size][name].against(times[size][EMPTY]).median for size in (sizes[0], sizes[-1]))
        verdict = "–" if len(sizes) < 2 or name == EMPTY else "flat" if last / first <= FLAT else "grows"
        rows.append([name, *(number(times[size][name].median) for size in sizes), f"{number(last / first)} ×", verdict])
    chapter.add_table(
        ["endpoint", *(f"{size:,} calls, ms" for size in sizes), "last against first, in empty requests", ""], rows
    )
    if len(sizes) > 1:
        lines = [(name, [times[size][name].median for size in sizes]) for name in CHARTED]
        unit = "ms of a request, by calls of all companies"
        chapter.add_chart("growth", "The endpoints as the calls grow", draw_lines, unit=unit, sizes=sizes, lines=lines)
    return chapter
