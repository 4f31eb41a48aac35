"""Personal data map: the tables with rows about a contact, and their personal columns.

Export and erasure both read it. Add each new text column of Contact or of a table listed here to `personal`, with its
replacement, or to `kept`. Add a `PersonalData` for each new foreign key to Contact. Tests fail until then. Data that
names a contact without a foreign key is in `ops.privacy.unlinked_data`, and `ops.privacy.mentions` finds their numbers
in any other text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Expression, F, JSONField, Model, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from analytics.models import CallAnalysis
from calls.models import Appointment, AppointmentProposal, Attachment, Call, CallDetail, MissedCaller, Task
from crm.choices import Direction
from crm.models import (
    Activity,
    CampaignMembership,
    Contact,
    ContactFieldValue,
    ContactFlag,
    ContactListEntry,
    ContactMerge,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    Conversation,
    DuplicateCandidate,
    ImportRow,
    Invoice,
    Lead,
    MarketingConsent,
)
from crm.phones import ERASED_NUMBER
from messaging.models import AppointmentReminder, Message
from ops.privacy.mentions import ERASED  # not empty: a repeated webhook event fills empty columns
from ops.privacy.people import Person


def where_contact_is(direction: str, field_name: str, value: Any) -> Expression:
    """Return `value` for rows of this direction. In others the column holds the company's own number, which stays."""
    return Case(When(direction=direction, then=value), default=F(field_name))


@dataclass(frozen=True)
class PersonalData:
    """Rows of one model that are about a contact."""

    model: type[Model]
    path: str = ""
    """Lookup from a row to its contact. Empty: the rows belong to a number."""
    unlinked: Mapping[str, str] = field(default_factory=dict)
    """For rows without a contact: lookups, each with the attribute of the person that it is compared with."""
    personal: Mapping[str, Any] = field(default_factory=dict)
    """Columns with personal data, each with its value after an erasure."""
    deleted: bool = False
    """True: an erasure deletes the rows. Of their audit entries, the values of personal columns are erased."""
    names: tuple[str, ...] = ()
    """Lookups of names that an export has beside the ids."""
    kept: frozenset[str] = frozenset()
    """Text columns without personal data, or that the law requires to keep."""

    @property
    def is_erased(self) -> bool:
        return self.deleted or bool(self.personal)

    def rows(self, person: Person) -> QuerySet:
        about = Q(**{f"{self.path}__in": person.contact_ids}) if self.path else Q(pk__in=[])
        for lookup, attribute in self.unlinked.items():
            about |= Q(**{f"{lookup}__in": getattr(person, attribute)})
        return self.model._default_manager.filter(about)


NAMES_AND_ADDRESS = ("first_name", "last_name", "email", "address", "city", "state", "postal_code", "timezone")


def erased_number(contact: str) -> Expression:
    """Return a value that is unique within the company, as the column requires, and not a phone number."""
    return Concat(Value(ERASED_NUMBER), Cast(contact, CharField()))


PERSONAL_DATA = (
    PersonalData(
        Contact,
        "pk",
        personal=dict.fromkeys(NAMES_AND_ADDRESS, "") | {"phone": erased_number("pk"), "keyed_text": "||"},
    ),
    PersonalData(ContactSearchKey, "contact", kept=frozenset({"key"})),  # deleted with the names
    # The erasure deletes all rows but the main number's.
    PersonalData(ContactPhone, "contact", personal={"phone": erased_number("contact_id"), "label": ""}),
    PersonalData(ContactFlag, "contact", personal={"reason": "", "evidence": ""}, kept=frozenset({"source"})),
    # Withdrawn by the erasure. The hash and the times stay, because consent must be provable after years.
    PersonalData(
        MarketingConsent,
        unlinked={"phone": "numbers"},
        personal={"phone": "", "wording": ERASED, "proof": ERASED},
        kept=frozenset({"number_hash"}),
    ),
    PersonalData(ContactTag, "contact", deleted=True, names=("tag__name",)),
    PersonalData(
        ContactFieldValue,
        "contact",
        deleted=True,
        names=("field__label",),
        personal=dict.fromkeys(("text", "text_key", "number", "date", "yes")),
    ),
    PersonalData(ContactListEntry, "contact", deleted=True, names=("list__name",)),
    PersonalData(
        DuplicateCandidate,
        "first",
        unlinked={"second": "contact_ids"},
        deleted=True,
        kept=frozenset({"reasons"}),
    ),
    # It holds both contacts as they were. Without them it can't be undone any more.
    PersonalData(
        ContactMerge,
        "kept",
        unlinked={"gone_id": "contact_ids"},
        personal={"before": Value({}, JSONField()), "fields": Value({}, JSONField())},
        kept=frozenset({"moved", "counts", "replaced", "not_restored"}),
    ),
    PersonalData(
        ImportRow,
        "contact_id",
        personal={"cells": None, "before": None, "after": None, "detail": ""},
        kept=frozenset({"reason", "column", "undo_detail"}),
    ),
    PersonalData(Lead, "contact", personal={"notes": ""}, kept=frozenset({"source"})),
    PersonalData(Conversation, "contact"),
    PersonalData(
        Activity,
        "contact",
        unlinked={"pk": "activities"},
        personal={"body": ERASED},
        kept=frozenset({"openphone_id"}),
    ),
    PersonalData(CampaignMembership, "contact", kept=frozenset({"reason"})),
    PersonalData(Invoice, "contact", kept=frozenset({"number"})),  # tax law requires invoices to be kept
    PersonalData(
        Call,
        "contact",
        unlinked={"pk": "calls"},
        personal={
            "from_number": where_contact_is(Direction.INCOMING, "from_number", Value(ERASED)),
            "to_number": where_contact_is(Direction.OUTGOING, "to_number", Value(ERASED)),
            "recording_url": "",
            "voicemail_url": "",
            "reason_for_lost_sale": "",
        },
    ),
    PersonalData(
        CallDetail,
        "call__contact",
        unlinked={"call": "calls", "openphone_id": "provider_ids"},
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
    PersonalData(MissedCaller, "contact", kept=frozenset({"text_back_reason"})),
    PersonalData(Appointment, "contact", personal={"notes": ""}, kept=frozenset({"timezone"})),
    # Deleted with their files.
    PersonalData(
        Attachment,
        "contact",
        unlinked={
            "activity__contact": "contact_ids", "call__contact": "contact_ids", "appointment__contact": "contact_ids",
            "activity": "activities", "call": "calls",
        },
        deleted=True,
        names=("file__name", "file__content_type", "file__size"),
        kept=frozenset({"source_url", "error"}),
    ),
    PersonalData(Task, "contact", unlinked={"call": "calls"}, personal={"title": ERASED}),
    PersonalData(AppointmentProposal, "appointment__contact", personal={"note": ""}),
    PersonalData(AppointmentReminder, "appointment__contact", kept=frozenset({"reason"})),
    PersonalData(
        Message,
        "contact",
        unlinked={"pk": "messages"},
        personal={
            "from_number": where_contact_is(Direction.INCOMING, "from_number", Value(ERASED)),
            "to_numbers": where_contact_is(Direction.OUTGOING, "to_numbers", Value([ERASED], JSONField())),
            "body": ERASED,
            "media": [],
        },
        kept=frozenset({"error", "error_code"}),
    ),
    PersonalData(
        CallAnalysis,
        "call__contact",
        unlinked={"call": "calls"},
        personal={"summary": ""},
        kept=frozenset({"objections", "outcome"}),
    ),
)  # fmt: skip
