"""Chapter 7: memory, connections, disk and processors of a deployment."""

from collections.abc import Callable

from django.utils import timezone

from benchmarks.deployments import ASSUMPTIONS, HEAD, SIZES, Costs
from benchmarks.disk import TableSize, read_table_sizes
from benchmarks.event_cost import EventCost, measure_events
from benchmarks.processes import CLIENTS, Memory, Web, Worker, measure_web, measure_worker
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.start_times import WEB_PROCESS, WORKER, measure_starts
from crm.db.tenancy import all_tenants
from messaging.choices import EventStatus
from messaging.models import WebhookEvent

KIB, MIB, GIB = 1024, 1024**2, 1024**3
SHOWN = 0.01  # of the whole: smaller tables and indexes are left out
PROCESSES = (1, 2, 4)
REPROCESSED = 200  # webhook events
EVENTS = 400  # new ones of each kind
PRIVATE_MIB, START_S = 110, 1.0

ABOUT = f"""Processes after requests to each endpoint of chapter 2 by {CLIENTS} clients for each web process, and a
worker after {REPROCESSED} webhook events. *In memory* counts every page of a process; of its *share*, a page that
several processes have in common is divided among them. Shares add up to the memory that is really used.
*Private* is what ends with the process. With
`--preload`, gunicorn loads the whole product before it makes the processes."""
ABOUT_DISK = """Tables and indexes of the data above, as the load left them. Those below a hundredth of the whole are
left out."""
ABOUT_EVENTS = """Webhook events of known contacts, processed as a worker does. Bytes on disk follow from the new rows
and the sizes above. Chapter 6 has the statements."""


def measure_sizing(sample: Sample, *, turns: int, events: int = EVENTS) -> Chapter:
    webs = {}
    for processes in PROCESSES:
        show_step(f"web server, {processes} processes")
        webs[f"web, {processes}"] = measure_web(sample, workers=processes, turns=turns)
    show_step("web server with --preload")
    webs["web, 4, with `--preload`"] = measure_web(sample, workers=4, turns=turns, preload=True)
    show_step("worker")
    worker = measure_worker(_reprocess())
    show_step("starts")
    starts = measure_starts(turns)
    show_step("disk and webhook events")
    sizes = read_table_sizes()
    costs = measure_events(sample, events=events)
    chapter = Chapter("7. Memory, connections and disk", [ABOUT])
    _describe_processes(chapter, webs, worker, starts)
    chapter.parts += ["### Disk", ABOUT_DISK]
    chapter.add_table(["table or index", "rows", "bytes a row", "GiB for a million rows"], _disk_rows(sizes))
    chapter.parts += ["### What a webhook event costs", ABOUT_EVENTS]
    chapter.add_table(
        ["event", "new rows", "bytes on disk", "bytes of WAL", "worker, ms", "database, ms"],
        [_event_row(kind, cost, sizes) for kind, cost in costs.items()],
    )
    chapter.parts += ["### Deployments", ASSUMPTIONS]
    deployment = _costs(webs, worker, costs, sizes)
    chapter.add_table(HEAD, [deployment.deployment_row(*size) for size in SIZES])
    return chapter


def _reprocess() -> Callable[[], bool]:
    """Make the newest webhook events pending again. Returns a function that says whether they are processed."""
    with all_tenants():
        processed = WebhookEvent.objects.filter(status=EventStatus.PROCESSED)
        ids = list(processed.order_by("-pk").values_list("pk", flat=True)[:REPROCESSED])
        WebhookEvent.objects.filter(pk__in=ids).update(
            status=EventStatus.PENDING, processed=False, processed_at=None, run_at=timezone.now()
        )

    def is_done() -> bool:
        with all_tenants():
            return not WebhookEvent.objects.filter(pk__in=ids, processed=False).exists()

    return is_done


def _describe_processes(chapter: Chapter, webs: dict[str, Web], worker: Worker, starts: dict[str, float]) -> None:
    rows = []
    for name, web in webs.items():
        rows += [
            [f"{name}: master", *_cells(web.master), "–"],
            [f"{name}: largest of the others", *_cells(max(web.workers, key=lambda memory: memory.private)), "–"],
            [f"{name}: all", *_cells(web.total), str(web.connections)],
        ]
    rows.append(["worker", *_cells(worker.memory), str(worker.connections)])
    chapter.add_table(["processes", "in memory, MiB", "share, MiB", "private, MiB", "connections"], rows)
    chapter.add_table(["start", "seconds"], [[name, number(starts[name])] for name in starts], title="Starts")
    chapter.add_table(
        ["processes", "web, ms a request", "database, ms a request"],
        [[name, number(web.web_ms), number(web.database_ms)] for name, web in webs.items()],
        title="Processor time of a request",
    )
    served = [process for name, web in webs.items() if "preload" not in name for process in web.workers]
    chapter.goals += [
        Goal("private memory of a web process", PRIVATE_MIB, max(one.private for one in served), "MiB"),
        Goal("private memory of a worker", PRIVATE_MIB, worker.memory.private, "MiB"),
        *(Goal(f"start of a {name}", START_S, starts[name], "s") for name in (WEB_PROCESS, WORKER)),
    ]


def _cells(memory: Memory) -> list[str]:
    return [number(memory.resident), number(memory.share), number(memory.private)]


def _disk_rows(sizes: dict[str, TableSize]) -> list[list[str]]:
    least = SHOWN * sum(size.total for size in sizes.values())
    rows = []
    for table, size in sizes.items():
        if size.total < least:
            continue
        rows += [_disk_row(f"**`{table}`**", size, size.total), _disk_row("its rows alone", size, size.heap)]
        rows += [
            _disk_row(f"`{index}`", size, index_bytes)
            for index, index_bytes in sorted(size.indexes.items(), key=lambda item: -item[1])
            if index_bytes >= least
        ]
    return rows


def _disk_row(name: str, size: TableSize, of: int) -> list[str]:
    row_bytes = of / max(size.rows, 1)
    return [name, f"{size.rows:,}", number(row_bytes), number(row_bytes * 1e6 / GIB)]


def _event_row(kind: str, cost: EventCost, sizes: dict[str, TableSize]) -> list[str]:
    made = ", ".join(f"{number(rows)} `{table}`" for table, rows in cost.rows.items())
    disk = number(_bytes(cost, sizes) + sizes["webhook_events"].row_bytes)
    return [kind, made, disk, number(cost.wal), number(cost.worker_ms), number(cost.database_ms)]


def _bytes(cost: EventCost, sizes: dict[str, TableSize]) -> float:
    """Return the bytes on disk of what an event made, without its own row."""
    return sum(
        rows * sizes[table].row_bytes
        for table, rows in cost.rows.items()
        if table in sizes and table != "webhook_events"
    )


def _costs(
    webs: dict[str, Web],
    worker: Worker,
    costs: dict[str, EventCost],
    sizes: dict[str, TableSize],
) -> Costs:
    one, most = (webs[f"web, {processes}"] for processes in (PROCESSES[0], PROCESSES[-1]))
    return Costs(
        request_web_ms=most.web_ms,
        request_database_ms=most.database_ms,
        event_worker_ms=max(cost.worker_ms for cost in costs.values()),
        event_database_ms=max(cost.database_ms for cost in costs.values()),
        web_mib=one.total.share,
        more_web_mib=(most.total.share - one.total.share) / (PROCESSES[-1] - PROCESSES[0]),
        worker_mib=worker.memory.share,
        worker_connections=worker.connections,
        call_bytes=_bytes(costs["call"], sizes),
        message_bytes=_bytes(costs["message"], sizes),
        event_bytes=sizes["webhook_events"].row_bytes,
        event_wal=max(cost.wal for cost in costs.values()),
    )
