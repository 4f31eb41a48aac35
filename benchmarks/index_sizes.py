"""Chapter 4: what the indexes take, built afresh and after they have grown."""

from django.db import connection, models, transaction

from analytics.models import CallAnalysis
from benchmarks.chart import draw_bars
from benchmarks.questions import QUESTIONS
from benchmarks.report import Chapter, Goal, Tell, number
from benchmarks.table_copies import columns_of
from calls.models import Appointment, Call
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants

# Bytes a row, in the words of the second document.
ESTIMATES = {
    "ix_appointments_company_id_scheduled_start": (8, 16),
    "ix_calls_company_id_created_at": (12, 20),
    "ix_calls_company_id_status": (12, 16),
    "ix_calls_assigned_rep_id_created_at": (12, 20),
    "ix_calls_company_id_booked": (9, 13),
    "ix_message_threads_contact_card_id_created_at": (12, 20),
    "ix_call_analysis_tenant_id_analyzed_at": (12, 20),
}
GROWING: list[type[models.Model]] = [Call, Appointment, CallAnalysis]
MIB = 1024**2

Sizes = dict[str, tuple[str, int]]
"""Of every index its table and its bytes."""
Rows = dict[str, int]
"""Of every table."""

DOCUMENTED, FOREIGN_KEY, FURTHER = "documented", "foreign key", "further"
KINDS = {
    index.name: (
        DOCUMENTED
        if index.name in {question.index for question in QUESTIONS}
        else FOREIGN_KEY
        if Call._meta.get_field(index.fields[0]).many_to_one and index.fields[0] != "company"
        else FURTHER
    )
    for index in Call._meta.indexes
}

ABOUT = """Sizes of the documented indexes: after `REINDEX`, and after a tenth more rows, like random ones that stand,
was inserted into calls, appointments and analyses with the indexes in place (the rows are taken out again). *Loaded*
is how the load left them, which inserts in the order of time, as life does; *grown* after the tenth. The documents'
estimates are in bytes a row. A hash index grows in doublings, so that of contacts says little per row."""


def measure_sizes(*, loaded: Sizes | None, tell: Tell) -> Chapter:
    """Builds the indexes of the growing tables anew, and lets them grow by a tenth. `loaded`: as a load left them."""
    tell("REINDEX")
    tables = [model._meta.db_table for model in GROWING]
    for table in tables:
        _run(f"REINDEX TABLE {table}")
    rows, fresh = _rows(), index_sizes()
    last = {table: _largest_id(table) for table in tables}
    tell("a tenth more rows")
    with all_tenants(), audit_disabled():
        for model in GROWING:
            _grow(model)
    grown_rows, grown = _rows(), index_sizes()
    tell("taking them out again")
    for table in reversed(tables):
        with all_tenants(), transaction.atomic(), audit_disabled():
            _run(f"DELETE FROM {table} WHERE id > {last[table]}")
    for table in tables:
        _run(f"VACUUM {table}")
    return _describe(rows, loaded or {}, fresh, grown_rows, grown)


def _describe(rows: Rows, loaded: Sizes, fresh: Sizes, grown_rows: Rows, grown: Sizes) -> Chapter:
    chapter = Chapter("4. What the indexes take", [ABOUT])
    table, bars = [], []
    for name in [question.index for question in QUESTIONS]:
        of, size = fresh[name]
        each, each_grown = size / max(rows[of], 1), grown[name][1] / max(grown_rows[of], 1)
        each_loaded = loaded[name][1] / max(rows[of], 1) if loaded else 0.0
        low, high = ESTIMATES.get(name, (0, 0))
        verdict = "–" if not high else "as estimated" if low <= each <= high else f"{number(each / high)} × the highest"
        table.append(
            [f"`{name}`", f"{rows[of]:,}", number(size / MIB), number(each), number(each_loaded) if loaded else "–",
             number(each_grown), f"{low}–{high}" if high else "–", verdict]
        )  # fmt: skip
        if high:
            bars.append((name.removeprefix("ix_"), [each, each_loaded, each_grown, high]))
    chapter.add_table(
        ["index", "rows", "fresh, MiB", "fresh, B/row", "loaded, B/row", "grown, B/row", "estimated, B/row",
         "fresh, against it"],
        table,
    )  # fmt: skip
    chapter.add_chart(
        "sizes",
        draw_bars(
            "Bytes a row that the indexes take",
            unit="bytes a row",
            series=["fresh", "as the load left it", "after a tenth more rows", "the documents' highest estimate"],
            rows=bars,
        ),
        about="Bytes a row that the indexes take",
    )
    chapter.add("### The indexes of calls, without primary key and unique guards")
    chapter.add_table(
        ["index", "kind", "fresh, MiB", "after a tenth more, MiB"],
        [
            [f"`{name}`", kind, *(number(sizes[name][1] / MIB) for sizes in (fresh, grown))]
            for name, kind in KINDS.items()
        ],
    )
    documented, further = (
        sum(fresh[name][1] for name, kind in KINDS.items() if kind == wanted) for wanted in (DOCUMENTED, FURTHER)
    )
    ratio = (documented + further) / documented
    chapter.goals = [Goal("bytes of the indexes of calls, foreign keys' aside, against the documented", 1.25, ratio)]
    return chapter


def _grow(model: type[models.Model]) -> None:
    columns = columns_of(model)
    values = ["NULL" if column == "activity_id" else column for column in columns]
    with transaction.atomic():
        _run(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
            f" SELECT {', '.join(values)} FROM {model._meta.db_table} WHERE random() < 0.1"
        )


def index_sizes() -> Sizes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelname, relname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes")
        return {name: (table, size) for name, table, size in cursor.fetchall()}


def _rows() -> Rows:
    found: Rows = {}
    with connection.cursor() as cursor, all_tenants():
        for table in {table for table, _ in index_sizes().values() if not table.startswith(("auth_", "django_"))}:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


def _largest_id(table: str) -> int:
    with all_tenants(), connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table}")
        return cursor.fetchone()[0]


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
