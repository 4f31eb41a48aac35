"""Admin pages that merge two contacts side by side, and undo a merge."""

from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from crm.admin.base.pagination import CountUpTo
from crm.db.tenancy import tenant
from crm.models import Contact, ContactPhone, DuplicateCandidate, User
from crm.phones import InvalidPhone, normalize_phone
from crm.refusals import Refusal
from crm.services.contact_fields import fields_by_key
from crm.services.contact_labels import Labels, labels_of
from crm.services.duplicates.decisions import dismiss_duplicate, merge_duplicate
from crm.services.exports.cells import as_text
from crm.services.merging.fields import CUSTOM, FIELDS, GONE, KEPT
from crm.services.merging.journal import references_to, rows_of
from crm.services.merging.merge import merge_contacts

LEFT, RIGHT = "left", "right"
UTC = ZoneInfo("UTC")
MAX_COUNTED = 1000
DERIVED = {"contactsearchkey", "contactmerge", "duplicatecandidate"}  # models whose rows say nothing to people


@dataclass(frozen=True)
class Choice:
    """One field of the two contacts."""

    name: str
    label: str
    left: str
    right: str
    chosen: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


class OtherContactForm(forms.Form):
    other = forms.CharField(
        max_length=64,
        label="The other contact",
        help_text="A phone number in any format, or # and the ID, such as #12.",
    )


def find_other(contact: Contact, term: str) -> Contact | None:
    """Return another contact of the same company, by any of its numbers or by its id."""
    term = term.strip()
    others: Any = Contact.objects.filter(company=contact.company_id).exclude(pk=contact.pk)
    if term.startswith("#") and term[1:].isascii() and term[1:].isdecimal() and len(term) < 19:
        return others.filter(pk=int(term[1:])).first()
    try:
        number = normalize_phone(term)
    except InvalidPhone:
        return None
    owners = ContactPhone.objects.filter(company=contact.company_id, phone=number).values("contact")
    return others.filter(Q(pk__in=owners) | Q(phone=number)).first()


def choices_of(left: Contact, right: Contact) -> list[Choice]:
    """Return the fields, each with the side that is chosen at first: the left one, unless it is blank.

    Of the custom fields those that one of the two has a value of.
    """
    with tenant(left.company_id):
        labels, fields = labels_of([left.pk, right.pk]), fields_by_key()
    values = [labels.get(contact.pk, Labels()).values for contact in (left, right)]
    sides = {
        name: (str(Contact._meta.get_field(name).verbose_name), getattr(left, name), getattr(right, name))  # type: ignore[union-attr]
        for name in FIELDS
    } | {
        f"{CUSTOM}{key}": (field.label, *(_shown(of_contact.get(key)) for of_contact in values))
        for key, field in fields.items()
        if key in values[0] or key in values[1]
    }
    return [
        Choice(name, capfirst(label), mine, other, RIGHT if other and not mine else LEFT)
        for name, (label, mine, other) in sides.items()
    ]


def _shown(value: Any) -> str:
    return "" if value is None else as_text(value, UTC)


def counts_of(left: Contact, right: Contact) -> list[tuple[str, str, str]]:
    """Return the number of rows of each contact that a merge moves, by the plural of their name."""
    relations = [each for each in references_to(Contact) if each.related_model._meta.model_name not in DERIVED]
    numbers = [
        CountUpTo(rows_of(relation.related_model).filter(**{relation.field.name: contact.pk}), MAX_COUNTED)
        for relation in relations
        for contact in (left, right)
    ]
    counted = Contact.objects.filter(pk=left.pk).values_list(*numbers).get()
    found = [
        (capfirst(str(relation.related_model._meta.verbose_name_plural)), mine, other)
        for relation, mine, other in zip(relations, counted[::2], counted[1::2], strict=True)
        if mine or other
    ]
    return sorted((name, _show_count(mine), _show_count(other)) for name, mine, other in found)


def _show_count(number: int) -> str:
    return f"{MAX_COUNTED:,} or more" if number >= MAX_COUNTED else f"{number:,}"


def merge_view(site: admin.AdminSite, request: HttpRequest, contact_id: int) -> HttpResponse:
    """Show a contact beside another one, and merge them."""
    if not request.user.has_perm("crm.change_contact"):
        raise PermissionDenied
    left = Contact.objects.filter(pk=contact_id).select_related("company").first()
    if left is None:
        raise Http404
    form = OtherContactForm(request.GET if "other" in request.GET else None)
    right = find_other(left, form.cleaned_data["other"]) if form.is_valid() else None
    if form.is_bound and form.is_valid() and right is None:
        form.add_error("other", "No other contact of this company has this number or ID.")
    candidate = _candidate_of(left, right) if right else None
    if request.method == "POST" and right:
        try:
            return _decide(request, left, right, candidate)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    context = site.each_context(request) | {
        "title": "Merge two contacts",
        "opts": Contact._meta,
        "left": left,
        "right": right,
        "candidate": candidate,
        "form": form,
        "choices": choices_of(left, right) if right else [],
        "counts": counts_of(left, right) if right else [],
    }
    return TemplateResponse(request, "admin/crm/contact/merge.html", context)


def _candidate_of(left: Contact, right: Contact) -> DuplicateCandidate | None:
    first, second = sorted([left.pk, right.pk])
    return DuplicateCandidate.objects.open().filter(first=first, second=second).first()


def _decide(request: HttpRequest, left: Contact, right: Contact, candidate: DuplicateCandidate | None) -> HttpResponse:
    user = cast(User, request.user)
    if "not_the_same" in request.POST and candidate:
        with tenant(left.company_id):
            dismiss_duplicate(candidate=candidate, user=user)
        messages.success(request, f"{left} and {right} are not the same person. They are not shown again.")
        return HttpResponseRedirect(reverse("admin:crm_duplicatecandidate_changelist"))
    kept, gone = (right, left) if request.POST.get("keep") == RIGHT else (left, right)
    sides = {LEFT: KEPT if kept == left else GONE, RIGHT: KEPT if kept == right else GONE}
    fields = {
        name: sides[side]
        for name, side in request.POST.items()
        if side in sides and (name in FIELDS or name.startswith(CUSTOM))
    }
    with tenant(left.company_id):
        if candidate:
            merge = merge_duplicate(candidate=candidate, user=user, kept_id=kept.pk, fields=fields)
        else:
            merge = merge_contacts(kept=kept, gone=gone, user=user, fields=fields)
    messages.success(request, f"{gone} was merged into {kept}. This can be undone for 30 days on this page.")
    return HttpResponseRedirect(reverse("admin:crm_contactmerge_change", args=[merge.pk]))
