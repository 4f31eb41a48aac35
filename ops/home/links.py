"""Links to lists of the admin."""

from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode


def list_of(model: type[Model], **filters: Any) -> str:
    """Return the URL of a model's list, filtered. Instants are written with their offset."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    values = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in filters.items()}
    return f"{url}?{urlencode(values)}" if values else url


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
