"""Admin for candidates of duplicates: a queue, the likeliest first."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.work_filters import WorkFilter
from crm.choices import DuplicateState
from crm.models import DuplicateCandidate


class UndecidedFilter(WorkFilter):
    """Candidates that nobody has decided, the likeliest first."""

    title = "decision"
    label = "To be decided"
    order = "-score"

    def waiting(self, rows: Any) -> QuerySet:
        return cast(QuerySet, rows.filter(state=DuplicateState.OPEN))


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(ReadOnlyAdmin):
    change_form_template = "admin/crm/duplicatecandidate/change_form.html"
    list_display = ("pair", "score", "shared", badge("state"), "compare", "company", moment("created_at"))
    list_select_related = ("first", "second", "company")
    list_filter = (UndecidedFilter, "state", "company")
    ordering = ("-score", "-id")
    fields = ("company", "first", "second", "score", "shared", "state", "decided_by", "decided_at", "created_at")

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out the links to the comparison, where people decide, for those who may not."""
        may_merge = request.user.has_perm("crm.change_contact")
        return [column for column in super().get_list_display(request) if may_merge or column != "compare"]

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering

    @admin.display(description="contacts")
    def pair(self, candidate: DuplicateCandidate) -> str:
        return " / ".join(str(contact) for contact in (candidate.first, candidate.second) if contact)

    @admin.display(description="in common")
    def shared(self, candidate: DuplicateCandidate) -> str:
        return candidate.shared

    @admin.display(description="decide")
    def compare(self, candidate: DuplicateCandidate) -> str:
        if candidate.state != DuplicateState.OPEN:
            return "–"
        return format_html('<a href="{}">Compare side by side</a>', _comparison_of(candidate))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        candidate = self.get_object(request, object_id)
        is_open = candidate is not None and candidate.state == DuplicateState.OPEN
        comparison = _comparison_of(candidate) if is_open and request.user.has_perm("crm.change_contact") else ""
        return super().change_view(request, object_id, form_url, {"comparison": comparison, **(extra_context or {})})


def _comparison_of(candidate: DuplicateCandidate) -> str:
    """Return the URL of the page that shows the two contacts side by side, where people merge or dismiss them."""
    page = reverse("admin:crm_contact_merge", args=[candidate.first_id])
    return f"{page}?{urlencode({'other': f'#{candidate.second_id}'})}"
