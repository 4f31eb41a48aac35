"""Audit entries of what staff add, change and delete by forms, of tables that no trigger audits."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from crm.choices import AuditAction
from crm.db.audit import HIDDEN, Audit
from crm.db.tenancy import tenant
from crm.models import Company, User
from crm.services.audited_actions import record_staff_action


class AuditedWrites(admin.ModelAdmin):
    """Records each write for a company, with the names of the fields. Their values may be words of a person."""

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            _record(request, form.instance, AuditAction.INSERT)
        elif form.changed_data:
            _record(request, form.instance, AuditAction.UPDATE, form.changed_data)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            _record(request, row, AuditAction.DELETE)
        return super().log_deletions(request, queryset)


def is_audited(model: type[Model], action: AuditAction) -> bool:
    """Return whether a trigger records such writes of any row."""
    audit = getattr(model, "audit", None)
    return isinstance(audit, Audit) and not audit.only and (action != AuditAction.INSERT or audit.records_inserts)


def _record(request: HttpRequest, row: Model, action: AuditAction, fields: Iterable[str] = ()) -> None:
    company_id = row.pk if isinstance(row, Company) else getattr(row, "company_id", None)
    if company_id is None or is_audited(type(row), action):
        return
    with tenant(company_id):
        record_staff_action(
            user=cast(User, request.user),
            table=row._meta.db_table,
            row_id=row.pk,
            changes=dict.fromkeys(fields, (HIDDEN, HIDDEN)),
            action=action,
        )
