"""Admin for candidates of duplicates: a queue, the likeliest first."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import Card, ReadOnlyAdmin
from crm.admin.base.pagination import count_up_to
from crm.choices import DuplicateState
from crm.models import DuplicateCandidate

MAX_COUNTED = 1000


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(ReadOnlyAdmin):
    list_display = ("pair", "score", "shared", badge("state"), "company", moment("created_at"))
    list_select_related = ("first", "second", "company")
    list_filter = ("state", "company")
    ordering = ("-score", "-id")
    fields = ("company", "first", "second", "score", "shared", "state", "decided_by", "decided_at", "created_at")

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering

    @admin.display(description="contacts")
    def pair(self, candidate: DuplicateCandidate) -> str:
        return " / ".join(str(contact) for contact in (candidate.first, candidate.second) if contact)

    @admin.display(description="in common")
    def shared(self, candidate: DuplicateCandidate) -> str:
        return candidate.shared

    def get_cards(self) -> list[Card]:
        waiting = count_up_to(DuplicateCandidate.objects.filter(state=DuplicateState.OPEN), MAX_COUNTED)
        if not waiting:
            return []
        url = f"{reverse('admin:crm_duplicatecandidate_changelist')}?state__exact=open"
        return [Card("Duplicate contacts", f"{waiting:,}", "may be the same person", url)]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show an open candidate as the two contacts side by side."""
        candidate = self.get_object(request, object_id)
        may_merge = request.user.has_perm("crm.change_contact")
        if candidate is None or candidate.state != DuplicateState.OPEN or not may_merge:
            return super().change_view(request, object_id, *args, **kwargs)
        page = reverse("admin:crm_contact_merge", args=[candidate.first_id])
        return HttpResponseRedirect(f"{page}?{urlencode({'other': f'#{candidate.second_id}'})}")
