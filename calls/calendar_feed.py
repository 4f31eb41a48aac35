"""The view of calendar feeds. The secret of the URL is the sign-in: calendars have no other."""

import hashlib
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from calls.icalendar import write_calendar
from calls.models import Appointment
from crm.client_ip import client_address
from crm.db.rate_counters import count_up, seconds_left
from crm.db.tenancy import tenant_autocommit
from crm.services.calendar_feeds import find_calendar_feed

PAST, COMING = timedelta(days=30), timedelta(days=180)
MAX_EVENTS = 5_000  # more than a rep can visit in these days
SAFETY = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}


@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """Send the user's appointments of the last 30 and the next 180 days, as iCalendar text.

    A token that isn't in force is a 404. An unchanged calendar is a 304, if the request has its tag.
    """
    limit: int = settings.THROTTLE_USER_PER_MIN
    if limit and count_up(f"calendar {client_address(request)}") > limit:
        refused = _say("Too many requests. Wait a minute.", HTTPStatus.TOO_MANY_REQUESTS)
        refused["Retry-After"] = str(seconds_left())
        return refused
    feed = find_calendar_feed(token)
    if feed is None:
        return _say("There is no such calendar.", HTTPStatus.NOT_FOUND)
    request.company_id = feed.company_id  # type: ignore[attr-defined]  # for the request log
    now = timezone.now()
    with tenant_autocommit(feed.company_id):
        appointments = Appointment.objects.in_calendar_of(feed.user, now - PAST, now + COMING)
        body = write_calendar(name=f"{feed.user}, {feed.company}", appointments=appointments[:MAX_EVENTS])
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8", headers={**SAFETY, "ETag": etag})
    response["Content-Disposition"] = 'inline; filename="appointments.ics"'
    return get_conditional_response(request, etag=etag, response=response) or response


def _say(text: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=SAFETY)
