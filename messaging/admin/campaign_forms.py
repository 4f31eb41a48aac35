"""Forms of a campaign's page, of its audience and of a test send."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.validators import MaxLengthValidator

from crm.admin.base.forms import RowForm
from crm.admin.base.suggestions import SuggestedRow, SuggestedRows, suggest_rows_of
from crm.admin.base.versions import VersionedForm
from crm.admin.base.wall_clock import LocalTimesForm
from crm.form_fields import PhoneFormField, RowFormField, RowsFormField, WholeNumberFormField
from crm.models import Campaign, CampaignMembership, CampaignStep, Contact, Segment
from crm.recurrence import InvalidRule
from messaging.services.campaigns.audience import AudienceClosed, check_open
from messaging.services.campaigns.bodies import CampaignBodies, read_bodies
from messaging.services.campaigns.drafts import MAX_DELAY_MINUTES
from messaging.services.campaigns.recurrence import COMMON_RULES, check_recurrence
from messaging.services.campaigns.states import lock_campaign
from messaging.services.outbound.send_policy import MAX_BODY

OWN_RULE = "rule"
REPEATS = [
    ("", "Never"),
    *((rule, words[0].upper() + words[1:]) for rule, words in COMMON_RULES.items()),
    (OWN_RULE, "By another rule:"),
]
UNITS = {"days": 24 * 60, "hours": 60, "minutes": 1}


class RecurrenceWidget(forms.MultiWidget):
    def __init__(self) -> None:
        rule = forms.TextInput(
            attrs={"class": "vTextField", "aria-label": "Other rule", "placeholder": "FREQ=MONTHLY;BYDAY=1MO"}
        )
        super().__init__({"choice": forms.Select(choices=REPEATS, attrs={"aria-label": "Repeats"}), "rule": rule})

    def decompress(self, value: Any) -> list[str]:
        if not value:
            return ["", ""]
        return [value, ""] if value in COMMON_RULES else [OWN_RULE, value]


class RecurrenceFormField(forms.MultiValueField):
    """A rule of a recurring campaign: one of the common ones, or any other."""

    def __init__(self, **options: Any) -> None:
        fields = (forms.ChoiceField(choices=REPEATS, required=False), forms.CharField(max_length=200, required=False))
        super().__init__(fields, widget=RecurrenceWidget(), require_all_fields=False, required=False, **options)

    def compress(self, data_list: Any) -> str:
        choice, rule = data_list or ("", "")
        if choice != OWN_RULE:
            return str(choice or "")
        try:
            check_recurrence(rule=rule.strip().upper())
        except InvalidRule as error:
            raise forms.ValidationError(str(error)) from error
        if not rule.strip():
            raise forms.ValidationError("Write the rule, or choose another answer.")
        return str(rule.strip().upper())


class DelayWidget(forms.MultiWidget):
    def __init__(self) -> None:
        number = forms.NumberInput(attrs={"min": 1, "aria-label": "Delay"})
        units = forms.Select(choices=[(unit, unit) for unit in UNITS], attrs={"aria-label": "Unit of the delay"})
        super().__init__({"number": number, "unit": units})

    def decompress(self, value: Any) -> list[Any]:
        if not value:
            return [None, "days"]
        unit = next(unit for unit, minutes in UNITS.items() if value % minutes == 0)
        return [value // UNITS[unit], unit]


class DelayFormField(forms.MultiValueField):
    """A delay in days, hours or minutes, cleaned to minutes."""

    def __init__(self, **options: Any) -> None:
        fields = (WholeNumberFormField(min_value=1), forms.ChoiceField(choices=[(unit, unit) for unit in UNITS]))
        super().__init__(fields, widget=DelayWidget(), **options)

    def compress(self, data_list: Any) -> int | None:
        if not data_list:
            return None
        minutes = int(data_list[0]) * UNITS[data_list[1]]
        if minutes > MAX_DELAY_MINUTES:
            raise forms.ValidationError(f"At most {MAX_DELAY_MINUTES // UNITS['days']} days.")
        return minutes


def limit_texts(form: forms.BaseForm, *names: str) -> None:
    for name in names:
        if name in form.fields:  # read-only ones aren't
            form.fields[name].validators.append(MaxLengthValidator(MAX_BODY))


class CampaignForm(LocalTimesForm):
    local_times = ("scheduled_at",)

    recurrence = RecurrenceFormField(
        label="Repeats",
        help_text="By the clock of the company, at the time of the first run. Each run is a campaign of its own.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_texts(self, "body", "body_b")
        if "scheduled_at" in self.fields:
            empty = "Empty: it starts when you start it."
            twice = "Of an hour that comes twice, when clocks go back, the first is meant."
            self.fields["scheduled_at"].help_text += f" {empty} {twice}"

    def present_zone(self) -> str:
        return str(self.instance.company.timezone) if self.instance.company_id else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.company:
            self.read_times(cleaned, self.company.zone)
        return cleaned


class CampaignStepForm(VersionedForm):
    delay_minutes = DelayFormField(label="Delay", help_text="After the message before was sent.")

    class Meta:
        model = CampaignStep
        fields = ("delay_minutes", "body")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_texts(self, "body")


class CampaignMembershipForm(RowForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if campaign := cleaned.get("campaign"):
            try:
                check_open(campaign=lock_campaign(campaign.pk))  # it can't be started until the row is saved
            except AudienceClosed as refusal:
                self.add_error("campaign", str(refusal))
        return cleaned


class AudienceForm(forms.Form):
    """A segment or contacts of the campaign's company."""

    segment = RowFormField(queryset=None, required=False, help_text="Contacts who are in this segment now.")
    contacts = RowsFormField(queryset=None, required=False, help_text="Or some contacts, by name or number.")

    def __init__(self, *args: Any, campaign: Campaign, site: AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segment, contacts = self.fields["segment"], self.fields["contacts"]
        segment.queryset = Segment.objects.filter(company=campaign.company_id)  # type: ignore[attr-defined]
        contacts.queryset = Contact.objects.filter(company=campaign.company_id)  # type: ignore[attr-defined]
        segment.widget = SuggestedRow(Campaign._meta.get_field("segment"), site)
        contacts.widget = SuggestedRows(CampaignMembership._meta.get_field("contact"), site)
        for field in (segment, contacts):
            field.widget.choices = field.choices  # type: ignore[attr-defined]
        contacts.widget.is_required = True  # without the button that clears all: it would stand between list items
        suggest_rows_of(campaign.company_id, self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and bool(cleaned["segment"]) == bool(cleaned["contacts"]):
            raise forms.ValidationError("Choose a segment, or contacts.")
        return cleaned


class TestSendForm(forms.Form):
    """One of the campaign's texts, and one's own number."""

    phone = PhoneFormField(help_text="Your own number, in any format. It must be the main number of a contact.")
    text = forms.ChoiceField()

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].choices = text_choices(read_bodies(campaign))  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        step, variant = self.cleaned_data["text"].split(" ")
        return {"step": int(step), "variant": variant}


def text_choices(bodies: CampaignBodies) -> list[tuple[str, str]]:
    """Return the texts of a campaign as choices: its step and variant, and how it is called on the page."""
    first = [(f"1 {variant}", f"Text {variant.upper()}" if bodies.is_test else "Text") for variant in bodies.first]
    return [*first, *((f"{step} a", f"Message {step}") for step in bodies.further)]
