"""Objections as choices, on the pages of an analysis and of its call."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from analytics.choices import COMMON_OBJECTIONS
from analytics.models import CallAnalysis, CallObjection
from analytics.models.objections import MAX_LABEL
from calls.models import Call
from crm.choices import AuditAction
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import User
from crm.services.audited_actions import record_staff_action

MAX_READ = 2000  # objections whose labels are offered
MAX_OFFERED = 60


def normalize_label(label: str) -> str:
    """Return the label as the dashboard counts it."""
    return label.strip().lower()[:MAX_LABEL]


def known_labels(company_id: int) -> set[str]:
    """Return labels of the company's latest objections, few enough for one page."""
    latest = CallObjection.objects.filter(company=company_id).order_by("-analyzed_at").values_list("label", flat=True)
    return set(list(dict.fromkeys(latest[:MAX_READ]))[:MAX_OFFERED])


def objections_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)


def other_field() -> forms.CharField:
    return forms.CharField(
        required=False, max_length=MAX_LABEL, help_text="A label that isn't in the list, such as warranty."
    )


def offer_labels(form: forms.BaseForm, labels: Iterable[str], company_id: int | None) -> dict[str, str]:
    """Offer the known labels and these, which are checked. Return these by their normalized form."""
    own = {normalize_label(label): label for label in labels}
    form.initial["objections"] = list(own)
    choices = sorted({*COMMON_OBJECTIONS, *(known_labels(company_id) if company_id else ()), *own})
    cast(forms.MultipleChoiceField, form.fields["objections"]).choices = [(label, label) for label in choices]
    return own


def chosen_labels(cleaned: dict[str, Any], own: dict[str, str]) -> list[str]:
    """Return the chosen labels and the typed one; unchanged ones stay as analyzed."""
    chosen = dict.fromkeys(cleaned.get("objections", []))
    if other := normalize_label(cleaned.get("other_objection", "")):
        chosen[other] = None
    return [own.get(label, label) for label in chosen]


class ObjectionsForm(forms.Form):
    """The objections of a call's latest analysis. Its fields are in the page's other form, so they name theirs."""

    objections = objections_field()
    other_objection = other_field()

    def __init__(self, *args: Any, company_id: int, analysis: CallAnalysis | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = offer_labels(self, analysis.objections if analysis else (), company_id)
        for field in self.fields.values():
            field.widget.attrs["form"] = "objections-form"

    def labels(self) -> list[str]:
        return chosen_labels(self.cleaned_data, self.own)


def latest_analysis(call: Call) -> CallAnalysis | None:
    return CallAnalysis.objects.filter(call=call).order_by("-analyzed_at", "-id").first()


def may_analyze(staff: Any, analysis: CallAnalysis | None) -> bool:
    return bool(staff.has_perm(f"analytics.{'change' if analysis else 'add'}_callanalysis"))


def objections_view(request: HttpRequest, call_id: int) -> HttpResponse:
    """Correct the objections of the call's latest analysis, or begin an analysis with them."""
    call = Call.objects.select_related("company").filter(pk=call_id).first() if is_id(str(call_id)) else None
    if call is None:
        raise Http404
    page = HttpResponseRedirect(f"{reverse('admin:calls_call_change', args=[call.pk])}#story-analysis")
    with tenant(call.company_id), transaction.atomic():
        Call.objects.select_for_update(no_key=True, of=("self",)).get(pk=call.pk)  # one analysis for two people at once
        analysis = latest_analysis(call)
        if not may_analyze(request.user, analysis):
            raise PermissionDenied
        form = ObjectionsForm(request.POST, company_id=call.company_id, analysis=analysis)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
            return page
        before = analysis.objections if analysis else None
        if analysis is None:
            analysis = CallAnalysis.objects.create(company=call.company, call=call, objections=form.labels())
        elif before != form.labels():
            analysis.objections = form.labels()
            analysis.save(update_fields=["objections"])
        if before != analysis.objections:
            # Their numbers: a typed label may have words of the caller, which an erasure doesn't look for there.
            changes = {"objections": (None if before is None else len(before), len(analysis.objections))}
            record_staff_action(
                user=cast(User, request.user),
                table="call_analysis",
                row_id=analysis.pk,
                changes=changes,
                action=AuditAction.INSERT if before is None else AuditAction.UPDATE,
            )
    messages.success(request, "The objections are saved, and counted on the dashboard.")
    return page
