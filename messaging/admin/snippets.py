"""Admin for snippets."""

from django.contrib import admin
from django.core.exceptions import ValidationError

from crm.admin.base.columns import excerpt, moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from messaging.models import Snippet
from messaging.services.campaigns.placeholders import find_placeholder_faults


class SnippetForm(RowForm):
    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if faults := find_placeholder_faults(body):
            raise ValidationError([fault.detail for fault in faults])
        return body


@admin.register(Snippet)
class SnippetAdmin(RowAdmin):
    form = SnippetForm
    list_display = ("shortcut", excerpt("body"), "company", moment("updated_at"))
    list_select_related = ("company",)
    list_filter = ("company",)
    search_fields = ("shortcut",)
    sortable_by = None
    autocomplete_fields = ("company",)
    fields = ("company", "shortcut", "body", "created_by", "created_at", "updated_at")
    readonly_fields = ("created_by", "created_at", "updated_at")
