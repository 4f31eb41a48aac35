"""Zones for tests that can't choose the time."""

from datetime import UTC, datetime


def zone_where_it_is(hour):
    """The name of a zone in which that hour has begun: 14 is a time to text people on any day, 3 is none."""
    ahead = hour - datetime.now(UTC).hour
    ahead = ahead - 24 if ahead > 12 else ahead + 24 if ahead < -11 else ahead
    return f"Etc/GMT{-ahead:+d}"  # the sign is the wrong way round there
