"""Imports of contacts from files, and their rows."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import ImportState, RowUndo, RowVerdict
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantModel, company_of_reference
from crm.models.background_tasks import BackgroundTask
from crm.models.companies import User
from crm.models.contact_lists import ContactList
from crm.models.stored_files import StoredFile

COUNTS = ("rows", "created", "updated", "unchanged", "merged_in_file", "rejected")


def count(help_text: str = "") -> Any:
    """Return the column of a count, which only the import and its undo write."""
    return models.PositiveBigIntegerField(default=0, editable=False, help_text=help_text)


class Import(TenantModel):
    """One file of contacts. Each of its rows ends in exactly one of five ways; see `ImportRow`."""

    name = models.CharField(max_length=255, help_text="Name of the file.")
    file = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False,
        help_text="The file. Empty: it has expired.",
    )  # fmt: skip
    header = models.JSONField(help_text="Names of the file's columns.")
    header_key = models.CharField(max_length=64, help_text="Identity of the set of columns.")
    mapping = models.JSONField(help_text="Which column goes where.")
    options = models.JSONField(
        default=dict, blank=True, help_text="Columns that may be overwritten, tags, wording of the consent."
    )
    warning = models.CharField(
        max_length=200, blank=True, editable=False, help_text="What a person should check. Empty: nothing."
    )  # fmt: skip
    dry_run = models.BooleanField(default=False, help_text="Whether it only predicts, and changes no contact.")
    list = models.ForeignKey(
        ContactList, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False,
        help_text="The list that has all of its contacts.",
    )  # fmt: skip

    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.WAITING)
    file_rows = count("Rows of the file below its header.")
    rows = count("People of the file's rows. Rows without one count, too, as rejected.")
    created = count()
    updated = count()
    unchanged = count()
    merged_in_file = count()
    rejected = count()
    reversed = count("Contacts that the undo has put back.")
    kept = count("Contacts that somebody has touched since.")
    errored = count("Contacts that the undo could not put back.")

    task = models.ForeignKey(
        BackgroundTask, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="The task that does it, or its undo.",
    )  # fmt: skip
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at", "header", "mapping"))
    feed = Feed("imports")

    class Meta:
        db_table = "imports"
        constraints = [
            one_of("state", ImportState, name="imports_state_valid"),
            in_range("created_at", nullable=("ended_at",), name="imports_times_in_range"),
            models.CheckConstraint(
                # One that failed or was cancelled has rows that still wait. It can be undone, too.
                condition=~Q(state__in=[ImportState.DONE, ImportState.UNDOING, ImportState.UNDONE])
                | Q(rows=F("created") + F("updated") + F("unchanged") + F("merged_in_file") + F("rejected"))
                & (~Q(state=ImportState.DONE) | Q(rows__gte=F("file_rows"))),
                name="imports_rows_add_up",
                violation_error_message="Each row must be created, updated, unchanged, merged in the file or rejected.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_imports_company_id_created_at",
                question="A company's imports, newest first, from any page on?",
                asked_by="GET /api/v1/imports",
            ),
            Index(
                fields=["created_at"],
                condition=Q(rejected__gt=0, dry_run=False),
                name="ix_imports_created_at_rejected",
                question="Which imports of these days rejected rows, over all companies?",
                asked_by="admin: first page",
            ),
            Index(
                fields=["company", "header_key", "id"],
                name="ix_imports_company_id_header_key_id",
                question="How was the last file with these columns mapped?",
                asked_by="POST /api/v1/imports",
            ),
            Index(
                fields=["file"],
                condition=Q(file__isnull=False),
                name="ix_imports_file_id",
                question="Which imports read this file?",
                asked_by="the worker, when the file expires",
            ),
            Index(
                fields=["list"],
                condition=Q(list__isnull=False),
                name="ix_imports_list_id",
                question="Which imports filled this list?",
                asked_by="DELETE /api/v1/contact-lists/{id}",
            ),
            Index(
                fields=["task"],
                name="ix_imports_task_id",
                question="Which import does this task do?",
                asked_by="the worker",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what became of them, with their sum."""
        return {name: getattr(self, name) for name in COUNTS}


class ImportRow(TenantModel):
    """A person of a file's row, and what became of them. `before` and `after` are what an undo needs.

    It names its contact without a foreign key: it outlives it, and each would cost every write a look-up.
    """

    company = company_of_reference()
    source = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="import_rows", db_index=False, db_column="import_id"
    )
    n = models.PositiveIntegerField(help_text="Number of the row, as a spreadsheet shows it. The header's is 1.")
    person = models.PositiveSmallIntegerField(default=1, help_text="2 for the second person of a row.")
    cells = models.JSONField(null=True, help_text="The cells as read. Empty for a second person, and after erasure.")

    verdict = models.CharField(max_length=15, choices=RowVerdict.choices, default=RowVerdict.WAITING)
    contact_id = models.BigIntegerField(null=True, verbose_name="contact ID")
    before = models.JSONField(null=True, help_text="The values that the import has replaced.")
    after = models.JSONField(null=True, help_text="What the import has written. Empty: nothing.")
    reason = models.CharField(max_length=40, blank=True, help_text="Why it was rejected, for programs.")
    column = models.CharField(max_length=200, blank=True, help_text="Column of the file with the fault.")
    detail = models.TextField(blank=True, help_text="Why it was rejected, or which values were left out, in words.")
    undo = models.CharField(max_length=10, choices=RowUndo.choices, blank=True, help_text="What the undo did.")
    undo_detail = models.TextField(blank=True, help_text="Why the undo kept the contact.")

    class Meta:
        db_table = "import_rows"
        constraints: ClassVar = [
            StorageSettings(parameters=BUSY_TABLE | {"fillfactor": 70}, name="import_rows_storage"),
            one_of("verdict", RowVerdict, name="import_rows_verdict_valid"),
            models.CheckConstraint(
                condition=Q(undo__in=["", *RowUndo.values]), name="import_rows_undo_valid"
            ),
            models.CheckConstraint(
                condition=Q(verdict=RowVerdict.REJECTED) & ~Q(reason="")
                | ~Q(verdict=RowVerdict.REJECTED) & Q(reason=""),
                name="import_rows_rejected_with_reason",
                violation_error_message="A rejected row has its reason, and no other has one.",
            ),
            models.UniqueConstraint(
                fields=["source", "n", "person"], name="import_rows_import_id_n_person_unique"
            ),
        ]  # fmt: skip
        indexes = [
            Index(
                fields=["contact_id", "source"],
                condition=Q(contact_id__isnull=False),
                name="ix_import_rows_contact_id_import_id",
                question="Which rows of imports are about this contact?",
                asked_by="the worker, for each 5,000 rows; undo; erasure of a contact",
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.n} of import #{self.source_id}"
