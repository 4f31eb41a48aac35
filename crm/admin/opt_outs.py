"""Admin for opt-outs and their review."""

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import describe_moment
from crm.choices import OptOutState
from crm.db.tenancy import tenant
from crm.models import Contact, ContactPhone, OptOut, OptOutEntry, User
from crm.models.audit import hash_number
from crm.phones import InvalidPhone, normalize_phone
from crm.services.opt_outs import NotUnderReview, confirm_opt_out, dismiss_opt_out, end_opt_out

ANSWERS = [
    ("confirm", "Opt out: send no more messages"),
    ("dismiss", "Not an opt-out: allow messages"),
    ("end", "May be texted again: the person asked for it"),
]
DECISIONS = {"confirm": confirm_opt_out, "dismiss": dismiss_opt_out}


class DecisionForm(RowForm):
    answer = forms.ChoiceField(
        choices=ANSWERS,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Required to end an opt-out: when and how the person asked for messages. It is kept as evidence.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "answer" in self.fields and self.instance.state == OptOutState.OPTED_OUT:
            cast(forms.ChoiceField, self.fields["answer"]).choices = ANSWERS[-1:]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("answer") == "end" and not cleaned.get("reason", "").strip():
            self.add_error("reason", "Enter the reason: when and how did the person ask for messages?")
        return cleaned


@dataclass(frozen=True)
class Person:
    """The contact who has the number of an opt-out now, and the words that decide it."""

    contact: Contact | None
    words: OptOutEntry | None
    said_at: str
    conversation: str
    """The URL of the words; empty if they are in no conversation."""


def person_of(opt_out: OptOut) -> Person:
    owner = ContactPhone.objects.filter(company=opt_out.company_id, phone=opt_out.phone).select_related("contact")
    entries = OptOutEntry.objects.filter(opt_out=opt_out).exclude(words="").select_related("activity")
    words = entries.order_by("-occurred_at", "-id").first()
    found = owner.first() if opt_out.phone else None
    conversation = ""
    if words and words.activity and words.activity.conversation_id:
        page = reverse("admin:crm_conversation_change", args=[words.activity.conversation_id])
        conversation = f"{page}?at={words.activity_id}"
    return Person(
        contact=found.contact if found else None,
        words=words,
        said_at=describe_moment(words.occurred_at, opt_out.company.zone) if words else "",
        conversation=conversation,
    )


class EntryInline(admin.TabularInline):
    model = OptOutEntry
    fields = readonly_fields = ("occurred_at", "action", "words", "source", "activity", "created_by", "created_at")
    ordering = ("occurred_at", "id")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(OptOut)
class OptOutAdmin(ExactSearch, RowAdmin):
    """Read-only, except for the decision on an opt-out under review, and the end of one in force."""

    form = DecisionForm
    inlines = (EntryInline,)
    list_display = (moment("created_at"), "person", "phone", badge("state"), moment("decided_at"), "company")
    list_select_related = ("company",)
    list_filter = ("state", "company")
    search_contact = ""
    search_help_text = "A phone number, in any format, or # and the row's ID, such as #12."
    readonly_fields = ("company", "phone", "channel", "state", "decided_at", "confirmed_at", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(decided_at__isnull=False)

    def complete_rows(self, rows: list[Any]) -> None:
        """Find the contacts that have the numbers now."""
        companies = {row.company_id for row in rows}
        owners = ContactPhone.objects.filter(company__in=companies, phone__in={row.phone for row in rows if row.phone})
        names = {(each.company_id, each.phone): each.contact for each in owners.select_related("contact")}
        for row in rows:
            row.owner = names.get((row.company_id, row.phone))

    @admin.display(description="contact")
    def person(self, opt_out: Any) -> str:
        return str(opt_out.owner or "")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        opt_out = options.get("obj")
        if opt_out is not None:
            context["person"] = person_of(opt_out)
        return super().render_change_form(request, context, *args, **options)

    def get_match(self, term: str) -> Q:
        match = super().get_match(term)
        try:
            number = normalize_phone(term)
        except InvalidPhone:
            number = term.strip()  # a sender whose number can't be normalized is kept as sent
        return match | Q(number_hash=hash_number(number))

    def get_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        decision = ("answer", "reason") if self.has_change_permission(request, obj) else ()
        return (*self.readonly_fields, *decision)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OptOut | None = None) -> bool:
        blocks_messages = obj is None or obj.state != OptOutState.CLEAR
        return blocks_messages and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: OptOut, form: forms.ModelForm, change: bool) -> None:
        answer, user = form.cleaned_data["answer"], cast(User, request.user)
        try:
            with tenant(obj.company_id):
                if answer == "end":
                    end_opt_out(opt_out=obj, user=user, reason=form.cleaned_data["reason"].strip())
                else:
                    DECISIONS[answer](opt_out=obj, user=user)
        except NotUnderReview as error:
            self.message_user(request, str(error), level="warning")


@admin.register(OptOutEntry)
class OptOutEntryAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("created_at"), badge("action"), excerpt("words"), "source", moment("occurred_at"), "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    search_contact = ""
    search_plain_ids = True
    search_help_text = "The entry's ID."
    fields = (
        "company", "opt_out", "action", "words", "source", "activity", "created_by", "occurred_at", "created_at",
    )  # fmt: skip
