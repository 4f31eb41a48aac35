"""Admin for imports."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.choices import ImportState, RowUndo
from crm.models import Import
from crm.models.imports import COUNTS

COLORS = {
    ImportState.DONE: "good",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "plain",
    ImportState.UNDONE: "plain",
}


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        badge("state", lambda state: COLORS.get(ImportState(state), "waiting")),
        "dry_run",
        "rows",
        "created",
        "updated",
        "rejected",
        "company",
        moment("created_at"),
    )
    list_select_related = ("company",)
    list_filter = ("state", "company")
    fields = (
        "company", "name", "state", "dry_run", "results", "list", "options", "mapping", "task", "created_by",
        "created_at", "ended_at",
    )  # fmt: skip

    @admin.display(description="Rows")
    def results(self, source: Import) -> SafeString:
        names = [*COUNTS, *(RowUndo.values if source.state == ImportState.UNDONE else ())]
        rows = ((name.replace("_", " ").capitalize(), f"{getattr(source, name):,}") for name in names)
        return format_html(
            '<table class="figures"><tbody>{}</tbody></table>',
            format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows),
        )
