"""One lease of an import: rows become people, people plans, and plans rows of the database."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count

from crm.choices import RowVerdict
from crm.db.audit_context import audit_disabled
from crm.db.bulk import insert_rows, update_rows
from crm.models import Import, ImportRow, User
from crm.services.imports.planning import Claims, Entry, Planner, read_facts
from crm.services.imports.reading.mapping import Mapping
from crm.services.imports.reading.outcomes import Person
from crm.services.imports.reading_ahead import ReadRow
from crm.services.imports.writing import Writer, ensure_fields

RESULTS = ("verdict", "contact_id", "before", "after", "reason", "column", "detail")


def work_on_rows(
    *, source: Import, mapping: Mapping, rows: Sequence[ReadRow], claims: Claims, user: User | None
) -> None:
    """Import rows in the open transaction. A dry run does the same, rolls it back, and writes the verdicts alone.

    Args:
        claims: of a dry run: what its earlier leases would have written. This lease's is added.
    """
    entries = [entry for row in rows for entry in _entries_of(row)]
    if not source.dry_run:
        _write(source, mapping, entries, claims, user)
    else:
        savepoint = transaction.savepoint()
        with audit_disabled():  # entries would be rolled back, too
            planner = _write(source, mapping, entries, claims, user)
        transaction.savepoint_rollback(savepoint)
        for plan in planner.plans:
            for phone in plan.numbers:
                claims.numbers.add(phone)
            if not plan.is_new and plan.contact.pk is not None:
                claims.contacts.add(plan.contact.pk)
        for entry in entries:
            if entry.plan is not None and entry.plan.is_new:
                entry.plan.contact.pk = None
            entry.before = entry.after = None
    _write_verdicts(source, entries)


def _entries_of(row: ReadRow) -> list[Entry]:
    """Return the people of a row. The first one is the row itself, the second one gets a row of its own."""
    return [
        Entry(row=None if place else row.pk, n=row.n, person=place + 1, outcome=outcome)
        for place, outcome in enumerate(row.outcomes)
    ]


def _write(source: Import, mapping: Mapping, entries: Sequence[Entry], claims: Claims, user: User | None) -> Planner:
    people = [entry.outcome for entry in entries if isinstance(entry.outcome, Person)]
    ensure_fields(company_id=source.company_id, wanted=mapping.fields)
    planner = Planner(source, read_facts(source=source, people=people, claims=claims), claims)
    for entry in entries:
        planner.add(entry)
    Writer(source, planner.plans, user).write()
    return planner


def _write_verdicts(source: Import, entries: Sequence[Entry]) -> None:
    results = [
        (
            entry.verdict, entry.plan and entry.plan.contact.pk, entry.before, entry.after, entry.reason, entry.column,
            entry.detail,
        )
        for entry in entries
    ]  # fmt: skip
    update_rows(
        ImportRow,
        RESULTS,
        [(entry.row, *result) for entry, result in zip(entries, results, strict=True) if entry.row is not None],
    )
    insert_rows(
        ImportRow,
        ("company", "source", "n", "person", "undo", "undo_detail", *RESULTS),
        [
            (source.company_id, source.pk, entry.n, entry.person, "", "", *result)
            for entry, result in zip(entries, results, strict=True)
            if entry.row is None
        ],
    )


def count_verdicts(source: Import) -> dict[str, int]:
    """Return the counts of an import, from its rows."""
    rows = ImportRow.objects.filter(source=source).order_by().values_list("verdict")
    found = dict(rows.annotate(number=Count("pk")))
    counts = {verdict.value: found.get(verdict.value, 0) for verdict in RowVerdict.decided()}
    return {"rows": sum(counts.values()), **counts}
