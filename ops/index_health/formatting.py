"""Figures as people read them."""

from datetime import datetime

from django.utils.timezone import now

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def in_bytes(size: float) -> str:
    """`1.5 GiB`."""
    for unit in UNITS:
        if abs(size) < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" or abs(size) >= 100 else f"{size:.1f} {unit}"


def in_days(since: datetime) -> str:
    """`since 2026-03-01 14:05 UTC, for 12 days`."""
    return f"since {since:%Y-%m-%d %H:%M} UTC, for {(now() - since).days} days"
