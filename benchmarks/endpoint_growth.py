"""Chapter 5: growth of the endpoints' times, and of the pages they read, with the number of calls."""

from collections.abc import Mapping
from functools import partial

from rest_framework.test import APIClient

from benchmarks import endpoints as e
from benchmarks.charts import draw_lines
from benchmarks.index_effect import as_test_client
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.timing import Rounds, in_turns, wall_ms
from benchmarks.web_server import web_server
from tests.plans.conftest import buffers_read

FLAT = 1.5  # the highest growth that counts as none
BASE, MOST = 1_000_000, 1.3  # the goal: the largest size against this one
FEW_BUFFERS = 50  # below it, a further level of an index is a large part
EMPTY = "empty request"
CHARTED = (
    e.METRICS, e.ALL_TIME, e.BOOKING_YEAR, e.CALLS, e.DEEP_CALLS, e.OBJECTIONS, e.OBJECTIONS_YEAR, e.THREAD, e.BY_NAME,
)  # fmt: skip
Times = Mapping[str, Rounds]
Buffers = Mapping[str, int]

ABOUT = """The same endpoints over HTTP at several sizes, asked for the largest company of each. The other tables grow
with the calls: messages, analyses and contacts are about a tenth of the calls each, the longest thread a
four-hundredth. The sizes are measured minutes apart, so an endpoint's growth is given against an empty request that
took turns with it."""
ABOUT_BUFFERS = f"""*p95* is that of single requests. *Buffers* are the pages of 8 KiB that the statements of one
request touch, whatever the machine does meanwhile. Their goal counts those below {FEW_BUFFERS} as {FEW_BUFFERS}: a
further level of an index is a large part of few pages."""


def time_endpoints(sample: Sample, *, rounds: int) -> Times:
    """Time every endpoint for one company, all of them in turns."""
    show_step(f"every endpoint for the {sample.name} company of {sample.calls:,} calls")
    paths = {name: endpoint.path for name, endpoint in e.endpoints_of(sample).items()} | {EMPTY: e.EMPTY_PATH}
    del paths[e.ALL_TIME_BY_STATUS]  # differs from ALL_TIME in its naive form only
    with web_server() as sign_in:
        get = sign_in(sample.manager.username)
        times = {name: Rounds() for name in paths}
        for path in paths.values():  # opens connections and fills caches
            get(path)
        for names in in_turns(paths, 3 * rounds):
            for name in names:
                times[name].append(wall_ms(partial(get, paths[name])))
    return times


def count_buffers(sample: Sample) -> Buffers:
    """Count the pages that each endpoint reads for one company."""
    client = APIClient()
    client.force_authenticate(sample.manager)
    paths = {name: endpoint.path for name, endpoint in e.endpoints_of(sample).items()}
    del paths[e.ALL_TIME_BY_STATUS]
    with as_test_client:
        return {name: buffers_read(partial(client.get, path)) for name, path in paths.items()}


def describe_growth(times: Mapping[int, Times], buffers: Mapping[int, Buffers]) -> Chapter:
    """Describe times and pages by the number of calls."""
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
        _judge(chapter, times, buffers)
        chapter.add_chart("growth", "The endpoints as the calls grow", draw_lines, unit=unit, sizes=sizes, lines=lines)
    return chapter


def _judge(chapter: Chapter, times: Mapping[int, Times], buffers: Mapping[int, Buffers]) -> None:
    """Add p95 and buffers, and the goals: the largest size against a million calls, or against the smallest."""
    sizes = sorted(times)
    base, last = BASE if BASE in sizes[:-1] else sizes[0], sizes[-1]
    chapter.parts.append(ABOUT_BUFFERS)
    chapter.add_table(
        ["endpoint", *(f"p95 at {size:,} calls, ms" for size in sizes), *(f"buffers at {size:,}" for size in sizes)],
        [
            [name, *(number(times[size][name].p95) for size in sizes), *(f"{buffers[size][name]:,}" for size in sizes)]
            for name in buffers[last]
        ],
        title="p95 and buffers",
    )

    def slowest(size: int, name: str) -> float:
        return times[size][name].p95 / times[size][EMPTY].median

    def pages(size: int, name: str) -> int:
        return max(buffers[size][name], FEW_BUFFERS)

    text = f"at {last:,} against {base:,} calls, worst endpoint"
    chapter.goals += [
        Goal(f"p95 {text}, in empty requests", MOST, max(slowest(last, n) / slowest(base, n) for n in buffers[last])),
        Goal(f"buffers {text}", MOST, max(pages(last, n) / pages(base, n) for n in buffers[last])),
    ]
