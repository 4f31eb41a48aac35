"""The top of a webhook event's page: its state, what it made, and a button that processes it again."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Activity, User
from messaging.admin.message_words import say_time
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.providers.errors import InvalidPayload, NotHandled
from messaging.providers.registry import PROVIDERS
from messaging.services.inbound.webhook_processing import reprocess_for_user

COLORS = {
    EventStatus.PENDING: "waiting",
    EventStatus.PROCESSED: "good",
    EventStatus.IGNORED: "plain",
    EventStatus.DEAD: "bad",
}


@dataclass(frozen=True)
class EventState:
    word: str
    color: str
    line: str
    made: str
    """The name of the activity that it made or changed; empty if there is none."""
    url: str
    may_process: bool


def state_of(event: WebhookEvent, *, may_replay: bool) -> EventState:
    status = EventStatus(event.status)
    activity = recorded_activity(event)
    return EventState(
        word=status.label,
        color=COLORS[status],
        line=_say(event),
        made=str(activity) if activity else "",
        url=_url_of(activity) if activity else "",
        may_process=may_replay and status != EventStatus.PENDING,
    )


def recorded_activity(event: WebhookEvent) -> Activity | None:
    """Return the message, call or voicemail that the event is about, if it is recorded."""
    webhook = PROVIDERS[event.provider].webhook
    try:
        envelope = webhook.read_envelope(bytes(event.body), event.headers)
        found = webhook.read_event(envelope, received_at=event.created_at)
    except (InvalidPayload, NotHandled):
        return None
    provider_id = getattr(found, "openphone_id", "")
    rows = Activity.objects.filter(company=event.company_id, openphone_id=provider_id)
    return rows.first() if provider_id else None


def process_events_again(events: QuerySet[WebhookEvent], user: User) -> int:
    """Queue the events for processing, and record who did. Return how many weren't pending."""
    done = 0
    for pk, company_id, status in list(events.values_list("pk", "company_id", "status")):
        with tenant(company_id):
            done += reprocess_for_user(pk=pk, status=status, user=user)
    return done


def _say(event: WebhookEvent) -> str:
    zone = event.company.zone
    match event.status:
        case EventStatus.PENDING if event.run_at > now():
            tried = f"It failed {event.tries} times: {event.error} " if event.tries else ""
            return f"{tried}A worker tries it at {say_time(event.run_at, zone)}."
        case EventStatus.PENDING:
            return "A worker processes it within seconds, if one runs."
        case EventStatus.DEAD:
            return f"{event.error or 'It failed too often.'} Mend the cause, then process it again."
        case EventStatus.IGNORED:
            return f"Nothing was recorded. {event.error}".strip()
    return f"Recorded. {event.error}".strip()


def _url_of(activity: Activity) -> str:
    if activity.conversation_id:
        page = reverse("admin:crm_conversation_change", args=[activity.conversation_id])
        return f"{page}?at={activity.pk}"
    return reverse("admin:crm_activity_change", args=[activity.pk])


class EventPage:
    """The page of the admin of webhook events."""

    def change_view(self: Any, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and "_process_again" in request.POST and self.has_replay_permission(request):
            event = self.get_object(request, object_id)
            if event is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            events = WebhookEvent.objects.filter(pk=event.pk)
            if process_events_again(events, cast(User, request.user)):
                messages.success(request, "Queued for processing. A worker takes it within seconds.")
            else:
                messages.info(request, "The event is pending already, so nothing was changed.")
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, *args, **kwargs)  # type: ignore[misc]

    def render_change_form(self: Any, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        event = options.get("obj")
        if event is not None:
            context["state"] = state_of(event, may_replay=self.has_replay_permission(request))
        return super().render_change_form(request, context, *args, **options)  # type: ignore[misc]
