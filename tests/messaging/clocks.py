"""Time zones for tests that depend on the current time."""

from datetime import UTC, datetime


def zone_with_hour(hour):
    """Return the name of a zone in which that hour has begun: at 14 messages are allowed on any day, at 3 never."""
    ahead = hour - datetime.now(UTC).hour
    ahead = ahead - 24 if ahead > 12 else ahead + 24 if ahead < -11 else ahead
    return f"Etc/GMT{-ahead:+d}"  # the sign is reversed in these names
