"""Imports of tests: a file's text goes in, the finished import comes out."""

from django.forms.models import model_to_dict

from crm.db.tenancy import all_tenants, tenant
from crm.models import (
    Contact,
    ContactFieldValue,
    ContactFlag,
    ContactListEntry,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    Import,
    ImportRow,
    MarketingConsent,
)
from crm.services.background_tasks.jobs import run_task
from crm.services.imports.requests import Options, begin_import, open_upload
from crm.services.imports.undo import begin_undo

CONTACT_TABLES = (
    Contact, ContactFieldValue, ContactFlag, ContactListEntry, ContactPhone, ContactSearchKey, ContactTag,
    MarketingConsent,
)  # fmt: skip


def begin(company, path, text, *, mapping=None, preset="", dry_run=False, user=None, **options):
    """Queue the import of a text, or of a file's bytes, without running it."""
    path = path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with tenant(company.pk):
        upload = open_upload(path=path, name=path.name)
        return begin_import(
            company=company, upload=upload, user=user, mapping=mapping, preset=preset, options=Options(**options),
            dry_run=dry_run,
        )  # fmt: skip


def finish(source):
    run_task(task=source.task)
    with all_tenants():
        return Import.objects.select_related("task", "list").get(pk=source.pk)


def run(company, path, text, **arguments):
    return finish(begin(company, path, text, **arguments))


def undo(source):
    with tenant(source.company_id):
        source = begin_undo(source=source, user=None)
    return finish(source)


def counts(source):
    return {name: number for name, number in source.counts.items() if number}


def verdicts(source):
    with all_tenants():
        rows = ImportRow.objects.filter(source=source).order_by("n", "person")
        return [(row.n, row.verdict, row.reason) for row in rows]


def contents():
    """Return all that is known of contacts, without ids and times that a second writing changes."""
    with all_tenants():
        return {
            model._meta.db_table: sorted(
                [
                    {
                        name: value
                        for name, value in model_to_dict(row).items()
                        if name not in ("id", "created_at", "expires_at")
                    }
                    for row in model.objects.all()
                ],
                key=repr,
            )
            for model in CONTACT_TABLES
        }
