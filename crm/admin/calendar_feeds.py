"""Admin for calendar feeds."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.db.tenancy import tenant
from crm.models import CalendarFeed
from crm.services.calendar_feeds import revoke_calendar_feed


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    """Users create feeds by the API, since only they may see the URL. Staff can revoke them."""

    actions = ("revoke",)
    list_display = ("__str__", "user", "company", moment("created_at"), moment("last_used_at"), moment("revoked_at"))
    list_select_related = ("user", "company")
    list_filter = ("company",)
    fields = ("company", "user", "beginning", "created_by", "created_at", "last_used_at", "revoked_at")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Allow revocations with the change permission, although a feed can't be changed."""
        return request.user.has_perm("crm.change_calendarfeed")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[CalendarFeed]) -> None:
        for feed in queryset:
            with tenant(feed.company_id):
                revoke_calendar_feed(feed=feed)
            self.message_user(request, f"{feed}: revoked.")
