"""Daily limits in SMS segments, of a phone line and of all lines of its company.

Days are in UTC: the same for the lines of all time zones.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Sum

from crm.models import Company, PhoneLine


@dataclass
class DailyLimit:
    text: str  # for a person whose message must wait
    limit: int
    sent: int  # today

    def has_room(self, segments: int) -> bool:
        """Return whether so many further segments may be sent. A longer message than the limit is sent as the first."""
        return not self.sent or self.sent + segments <= self.limit


def read_daily_limits(*, line: PhoneLine, now: datetime, lock: bool = False) -> list[DailyLimit]:
    """Return the limits of the line, with what was sent today.

    Args:
        lock: lock the company, if it has a limit, so that two lines don't use the same room.
    """
    sent = line.sent_segments if line.sent_on == utc_day(now) else 0
    cap = f"The phone line has reached its daily cap of {line.daily_cap} segments."
    limits = [DailyLimit(cap, line.daily_cap, sent)]
    limit = line.company.daily_segment_limit
    if limit is not None:
        if lock:
            Company.objects.select_for_update(no_key=True).get(pk=line.company_id)
        lines = PhoneLine.objects.filter(company=line.company_id, sent_on=utc_day(now))
        sent_by_all = lines.aggregate(sent=Sum("sent_segments", default=0))["sent"]
        text = f"The company has reached its daily limit of {limit} segments."
        limits.append(DailyLimit(text, limit, sent_by_all))
    return limits


def utc_day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def start_of_next_day(moment: datetime) -> datetime:
    return datetime.combine(utc_day(moment) + timedelta(days=1), time(), UTC)
