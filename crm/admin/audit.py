"""Admin for audit entries and suppressed numbers."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from crm.admin.base.columns import badge, moment, pretty_json
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from crm.models import ArchivedId, AuditEntry, SuppressedNumber
from crm.models.audit import hash_number
from crm.phones import InvalidPhone, normalize_phone


@admin.register(AuditEntry)
class AuditEntryAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("at"), badge("action"), "table_name", "row_id", "columns", "actor", "company")
    list_select_related = ("company",)
    list_filter = ("at", "company")
    time_field = "at"
    search_contact = ""
    search_plain_ids = True
    search_help_text = "A table and a row ID, such as: contacts 12. Or the entry's ID."
    fields = ("company", "table_name", "row_id", "action", "before_and_after", "actor", "actor_id", "at")

    def get_match(self, term: str) -> Q:
        table, _, row_id = term.partition(" ")
        if row_id.isascii() and row_id.isdecimal():
            return Q(table_name=table, row_id=int(row_id))
        return super().get_match(term)

    @admin.display(description="columns")
    def columns(self, entry: AuditEntry) -> str:
        return ", ".join(entry.changes)

    @admin.display(description="before and after")
    def before_and_after(self, entry: AuditEntry) -> SafeString:
        return pretty_json(entry.changes)


@admin.register(SuppressedNumber)
class SuppressedNumberAdmin(ExactSearch, ReadOnlyAdmin):
    """Numbers are stored as hashes: a known number can be found, none can be read."""

    list_display = (moment("created_at"), "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    search_contact = ""
    search_help_text = "A phone number, in any format, or # and the row's ID, such as #12."
    fields = ("company", "created_at")

    def get_match(self, term: str) -> Q:
        match = super().get_match(term)
        try:
            return match | Q(number_hash=hash_number(normalize_phone(term)))
        except InvalidPhone:
            return match


@admin.register(ArchivedId)
class ArchivedIdAdmin(ReadOnlyAdmin):
    """IDs are stored as hashes, to recognise what a provider sends again."""

    list_display = (moment("created_at"), "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    fields = ("company", "created_at")
