"""Calendar feeds: `<id>-<secret>` in their URL, with 256 random bits, of which the hash is stored."""

import hmac
import re
from datetime import timedelta
from secrets import token_urlsafe

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.db.tenancy import all_tenants_autocommit, current_company_id
from crm.models import CalendarFeed, User
from crm.services.api_tokens import BEGINNING, hash_secret

TOKEN = re.compile(r"([0-9]{1,18})-([\w-]{43})", re.ASCII)
USE_RECORDED_EVERY = timedelta(minutes=1)


def create_calendar_feed(*, user: User, by: User) -> tuple[CalendarFeed, str]:
    """Return a new feed of the user, in the place of the former one, and its token, which is never shown again."""
    secret = token_urlsafe(32)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user.pk)  # two at once: the last one stays
        for former in CalendarFeed.objects.filter(user=user, revoked_at=None):
            revoke_calendar_feed(feed=former)
        row = CalendarFeed.objects.create(
            company_id=current_company_id(), user=user, beginning=secret[:BEGINNING], secret_hash=hash_secret(secret),
            created_by=by,
        )  # fmt: skip
    return row, f"{row.pk}-{secret}"


def revoke_calendar_feed(*, feed: CalendarFeed) -> None:
    """End a feed at once. One that has ended before stays as it is."""
    CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=timezone.now())


def find_calendar_feed(token: str) -> CalendarFeed | None:
    """Return the feed in force with this token, with its user and company, and record the use."""
    parts = TOKEN.fullmatch(token)
    if not parts:
        return None
    with all_tenants_autocommit():  # the company is unknown until the feed is read
        feed = CalendarFeed.objects.in_force().select_related("user", "company").filter(pk=int(parts[1])).first()
        if feed is None or not hmac.compare_digest(feed.secret_hash, hash_secret(parts[2])):
            return None
        _record_use(feed)
    return feed


def _record_use(feed: CalendarFeed) -> None:
    now = timezone.now()
    if feed.last_used_at is None or feed.last_used_at <= now - USE_RECORDED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_RECORDED_EVERY)
        CalendarFeed.objects.filter(stale, pk=feed.pk).update(last_used_at=now)
