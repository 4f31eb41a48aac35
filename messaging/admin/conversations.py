"""Admin for conversations: the inbox of all companies, and the page of one."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import now

from crm.admin.badges import badges_of, show_badges
from crm.admin.base.columns import EXCERPT_LENGTH, badge, local_moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.pagination import format_count
from crm.admin.base.search import ExactSearch
from crm.choices import ActivityType, ConversationStatus, Direction
from crm.models import Activity, Conversation
from messaging.admin.conversation_pages import ConversationPages
from messaging.choices import MessageStatus

MINE_WITHIN = timedelta(days=30)
MAX_MINE = 500  # of the latest texts of a member of staff
MAX_COUNTED = 1000
NOT_CLOSED = [ConversationStatus.OPEN, ConversationStatus.WAITING]
LOST = (MessageStatus.FAILED, MessageStatus.UNDELIVERED)
COLORS = dict.fromkeys(ConversationStatus, "plain") | {ConversationStatus.WAITING: "waiting"}


class InboxFilter(admin.SimpleListFilter):
    """The tabs above the list, each read in order from an index of its own."""

    title = "inbox"
    parameter_name = "inbox"
    template = "admin/crm/conversation/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        waiting = format_count(Conversation.objects.filter(status=ConversationStatus.WAITING), limit=MAX_COUNTED)
        return [("waiting", f"Waiting ({waiting})"), ("mine", "Mine"), ("unassigned", "Unassigned")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        match self.value():
            case "waiting":
                return queryset.filter(status=ConversationStatus.WAITING)
            case "mine":
                return queryset.filter(pk__in=conversations_of(request.user.pk))
            case "unassigned":
                return queryset.filter(assignee__isnull=True, status__in=NOT_CLOSED)
        return None


def conversations_of(user_id: int | None) -> set[int]:
    """Return the conversations in which a member of staff wrote lately: staff are nobody's assignee."""
    written = Activity.objects.filter(user=user_id, created_at__gt=now() - MINE_WITHIN, conversation__isnull=False)
    return set(written.order_by("-created_at").values_list("conversation", flat=True)[:MAX_MINE])


def latest_words(conversations: Iterable[Conversation]) -> dict[int | None, SafeString]:
    """Return the beginning of the latest activity of each conversation. Two statements."""
    activities = Activity.objects.filter(conversation=OuterRef("pk")).order_by("-created_at", "-id")
    latest = Conversation.objects.filter(pk__in=[row.pk for row in conversations]).annotate(
        latest=Subquery(activities.values("pk")[:1])
    )
    ids = [pk for pk in latest.values_list("latest", flat=True) if pk]
    found = Activity.objects.filter(pk__in=ids).select_related("message")
    return {activity.conversation_id: _words(activity) for activity in found}


def _words(activity: Activity) -> SafeString:
    message = getattr(activity, "message", None)
    said = activity.body if activity.activity_type == ActivityType.MESSAGE else activity.get_activity_type_display()
    who = "We: " if activity.direction == Direction.OUTGOING else ""
    lost = '<span class="badge badge-bad">Not sent</span> ' if message and message.status in LOST else ""
    return format_html(
        f'{lost}<span class="quiet">{{}}</span>{{}}', who, Truncator(said or "(picture)").chars(EXCERPT_LENGTH)
    )


@admin.register(Conversation)
class ConversationAdmin(ConversationPages, ExactSearch, ReadOnlyAdmin):
    """The list is in the order of the latest activity, which an index of each tab keeps."""

    change_list_template = "admin/crm/conversation/change_list.html"
    list_display = (
        "person",
        "last_words",
        local_moment("last_activity_at"),
        badge("status", lambda status: COLORS[status]),
        "assignee",
    )
    list_select_related = ("assignee", "company")
    list_filter = (InboxFilter, "last_activity_at", "company", "contact", "assignee")
    search_help_text = "The contact's name or phone number, or # and the conversation's ID, such as #12."

    class Media:
        css = {"all": ("messaging/conversations.css",)}

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-last_activity_at", "-id")

    def complete_rows(self, rows: list[Any]) -> None:
        # Joined to the rows before their limit, the planner might read all contacts.
        prefetch_related_objects(rows, "contact")
        words = latest_words(rows)
        badges = badges_of({row.contact_id for row in rows})
        for row in rows:
            row.shown_words, row.shown_badges = words.get(row.pk, ""), show_badges(badges.get(row.contact_id, ()))

    @admin.display(description="contact")
    def person(self, conversation: Any) -> SafeString:
        contact, company = conversation.contact, conversation.company
        return format_html(
            '{} {} <span class="quiet of-company">{}</span>', contact, conversation.shown_badges, company
        )

    @admin.display(description="last message")
    def last_words(self, conversation: Any) -> str:
        return conversation.shown_words
