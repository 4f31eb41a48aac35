"""Columns of change lists."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst

EXCERPT_LENGTH = 80
MAX_CHARACTERS = 200_000


def badge(field: str, color_of: Callable[[Any], str] = str) -> Callable[[Model], str]:
    """Return a column of a closed choice. Its CSS class (see crm/admin.css) is `color_of(value)`, else the value."""

    def show(row: Model) -> str:
        value = getattr(row, field)
        if not value:
            return ""
        label = getattr(row, f"get_{field}_display")()
        return format_html('<span class="badge badge-{}">{}</span>', color_of(value), label)

    return _column(show, field)


def moment(field: str) -> Callable[[Model], str]:
    """Return a column of a time in UTC: `2026-03-08 14:05 UTC`."""

    def show(row: Model) -> str:
        return show_local(getattr(row, field), ZoneInfo("UTC"))

    return _column(show, field)


def local_moment(field: str) -> Callable[[Model], str]:
    """Return a column of a time in the company's zone: `2026-03-08 14:05 MST`."""

    def show(row: Any) -> str:
        return show_local(getattr(row, field), row.company.zone)

    return _column(show, field)


def show_local(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return the local time as HTML, with the zone beside it."""
    if instant is None:
        return ""
    local = instant.astimezone(zone)
    return format_html(
        '<span class="moment">{} <span class="zone">{}</span></span>', f"{local:%Y-%m-%d %H:%M}", f"{local:%Z}"
    )


def money(field: str) -> Callable[[Model], str]:
    """Return a column of an amount in the company's currency: `1,250.00 USD`."""

    def show(row: Any) -> str:
        return show_money(getattr(row, field), row.company.currency)

    return _column(show, field)


def show_money(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f"{amount:,.2f} {currency}"


def excerpt(field: str) -> Callable[[Model], str]:
    """Return a column that shows the beginning of a long text."""

    def show(row: Model) -> str:
        return Truncator(getattr(row, field)).chars(EXCERPT_LENGTH)

    return _column(show, field)


def pretty_json(value: bytes | Any) -> SafeString:
    """Return indented JSON as escaped HTML, or bytes that aren't JSON unchanged. At most MAX_CHARACTERS are shown."""
    try:
        text = json.dumps(json.loads(value) if isinstance(value, bytes) else value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = bytes(value).decode(errors="backslashreplace")
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}\n… {len(text) - MAX_CHARACTERS:,} characters more"
    # A lone surrogate is valid JSON but not valid UTF-8.
    return format_html('<pre class="source" tabindex="0">{}</pre>', text.encode(errors="backslashreplace").decode())


def links_to_rows(row: Model, site: admin.AdminSite) -> SafeString:
    """Return links to the lists of rows that refer to this row, in any app."""
    links = [
        (
            reverse(
                f"admin:{relation.related_model._meta.app_label}_{relation.related_model._meta.model_name}_changelist"
            ),
            relation.field.name,
            row.pk,
            capfirst(relation.related_model._meta.verbose_name_plural),
        )
        for relation in row._meta.related_objects
        if site.is_registered(relation.related_model)
    ]
    return format_html_join(" · ", '<a href="{}?{}__id__exact={}">{}</a>', links)


def _column(show: Callable[[Model], str], field: str) -> Callable[[Model], str]:
    show.__name__ = field  # the column's CSS class
    return admin.display(description=field.replace("_", " "), ordering=field)(show)
