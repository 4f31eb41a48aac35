"""What is kept about a person: which rows, and what in them is the person's. Export and erasure both read this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Expression, F, JSONField, Model, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from analytics.models import CallAnalysis
from calls.models import Appointment, Call, CallDetail, MissedCaller
from crm.choices import Direction
from crm.models import (
    Activity,
    CampaignMembership,
    Contact,
    ContactFlag,
    ContactPhone,
    Conversation,
    Invoice,
    Lead,
)
from messaging.models import Message

# Not empty: a provider that repeats itself fills what is empty, and must not bring an erased text back.
ERASED = "[erased]"
ERASED_NUMBER = "erased:"  # begins what an erased contact has in place of a number


def outside(field_name: str, direction: str, value: Any) -> Expression:
    """`value` where the person is on this side of a call or text; our own number stays."""
    return Case(When(direction=direction, then=value), default=F(field_name))


@dataclass(frozen=True)
class Record:
    """The rows of one model that are about a contact."""

    model: type[Model]
    path: str
    """How a row leads to its contact."""
    personal: Mapping[str, Any] = field(default_factory=dict)
    """Columns that hold the person's words or data, each with what stands there after an erasure."""
    kept: frozenset[str] = frozenset()
    """Columns of text that say nothing about the person, or that the law wants kept."""

    def rows(self, contact: Contact) -> QuerySet:
        return self.model._default_manager.filter(**{self.path: contact.pk})


NAMES_AND_ADDRESS = ("first_name", "last_name", "email", "address", "city", "state", "postal_code", "timezone")


def no_number(contact: str) -> Expression:
    """Unique within the company, as a number is, and none."""
    return Concat(Value(ERASED_NUMBER), Cast(contact, CharField()))


RECORDS = (
    Record(Contact, "pk", personal=dict.fromkeys(NAMES_AND_ADDRESS, "") | {"phone": no_number("pk")}),
    # All but the main number's row are deleted before.
    Record(ContactPhone, "contact", personal={"phone": no_number("contact_id"), "label": ""}),
    Record(ContactFlag, "contact", personal={"reason": "", "evidence": ""}, kept=frozenset({"source"})),
    Record(Lead, "contact", personal={"notes": ""}, kept=frozenset({"source"})),
    Record(Conversation, "contact"),
    Record(Activity, "contact", personal={"body": ERASED}, kept=frozenset({"openphone_id"})),
    Record(CampaignMembership, "contact", kept=frozenset({"reason"})),
    Record(Invoice, "contact", kept=frozenset({"number"})),  # tax law wants what was asked for kept
    Record(
        Call,
        "contact",
        personal={
            "from_number": outside("from_number", Direction.INCOMING, Value(ERASED)),
            "to_number": outside("to_number", Direction.OUTGOING, Value(ERASED)),
            "recording_url": "",
            "voicemail_url": "",
            "reason_for_lost_sale": "",
        },
    ),
    Record(
        CallDetail,
        "call__contact",
        personal={
            "recordings": [],
            "voicemail_transcript": ERASED,
            "summary": ERASED,
            "next_steps": [],
            "transcript": [],
            "forwarded_to": "",
            "menu_choice": "",
        },
        kept=frozenset({"openphone_id"}),
    ),
    Record(MissedCaller, "contact", kept=frozenset({"text_back_reason"})),
    Record(Appointment, "contact", personal={"notes": ""}, kept=frozenset({"timezone"})),
    Record(
        Message,
        "contact",
        personal={
            "from_number": outside("from_number", Direction.INCOMING, Value(ERASED)),
            "to_numbers": outside("to_numbers", Direction.OUTGOING, Value([ERASED], JSONField())),
            "body": ERASED,
            "media": [],
        },
        kept=frozenset({"error", "error_code"}),
    ),
    Record(CallAnalysis, "call__contact", personal={"summary": ""}, kept=frozenset({"objections", "outcome"})),
)  # fmt: skip
